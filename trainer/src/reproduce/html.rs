//! HTML of the report: escaping, tables, figures, and the page.

use plot::dark_style;

/// Text with `&`, `<`, `>` and `"` escaped, for use between tags and in quoted attributes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c => out.push(c),
        }
    }
    out
}

/// A cell with more characters than this holds a sentence and may wrap. A SHA-256 in hexadecimal does not.
const SENTENCE: usize = 64;

/// An HTML table below its caption. The first cell of each row is its header. A table wider than the page scrolls in
/// its own box.
pub fn table(caption: &str, header: &[String], rows: &[Vec<String>]) -> String {
    format!("<p class=\"caption\">{}</p>\n{}", escaped(caption), bare_table(header, rows))
}

/// An HTML table that is collapsed until its caption is clicked.
pub fn folded_table(caption: &str, header: &[String], rows: &[Vec<String>]) -> String {
    format!("<details><summary>{}</summary>\n{}</details>\n", escaped(caption), bare_table(header, rows))
}

fn bare_table(header: &[String], rows: &[Vec<String>]) -> String {
    let cells = |row: &[String], tag: &str| -> String {
        // A sentence in a cell may wrap, a number may not.
        let of = |cell: &String| match cell.chars().count() > SENTENCE {
            true => format!("<{tag} class=\"long\">{}</{tag}>", escaped(cell)),
            false => format!("<{tag}>{}</{tag}>", escaped(cell)),
        };
        row.iter().map(of).collect()
    };
    let mut out = format!("<div class=\"scroll\" tabindex=\"0\"><table>\n<tr>{}</tr>\n", cells(header, "th"));
    for row in rows {
        let (first, rest) = row.split_first().map_or((String::new(), &row[..]), |(first, rest)| (first.clone(), rest));
        out += &format!("<tr><th scope=\"row\">{}</th>{}</tr>\n", escaped(&first), cells(rest, "td"));
    }
    out + "</table></div>\n"
}

/// An SVG document as an HTML figure above its caption. A figure wider than the page scrolls in its own box.
pub fn figure(id: &str, caption: &str, svg: &str) -> String {
    let svg = svg.find("<svg").map_or("", |at| &svg[at..]);
    let (id, caption) = (escaped(id), escaped(caption));
    format!(
        "<figure id=\"{id}\"><div class=\"scroll\" tabindex=\"0\">{svg}</div>\n<figcaption>{caption}</figcaption></figure>\n"
    )
}

/// A section of the page, which the table of contents links to.
pub struct Section {
    /// Id of the section's HTML anchor.
    pub id: &'static str,
    /// Heading of the section.
    pub title: &'static str,
    /// HTML below the heading; a section whose body is empty is left out.
    pub body: String,
}

/// A self-contained HTML page: `first`, a table of contents, and the sections that are not empty. Its colours follow
/// the reader's light or dark setting; on a narrow screen only wide tables and figures scroll sideways.
pub fn page(title: &str, first: &str, sections: &[Section]) -> String {
    let sections: Vec<&Section> = sections.iter().filter(|section| !section.body.is_empty()).collect();
    let contents: String =
        sections.iter().map(|s| format!("<li><a href=\"#{}\">{}</a></li>", s.id, escaped(s.title))).collect();
    let body: String = sections
        .iter()
        .map(|s| format!("<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n", s.id, escaped(s.title), s.body))
        .collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{0}</title>\n<style>{STYLE}\n\
         @media (prefers-color-scheme:dark){{{DARK}{dark}}}</style></head>\n\
         <body>\n<h1>{0}</h1>\n{first}<nav aria-label=\"Contents\"><h2>Contents</h2><ul>{contents}</ul></nav>\n{body}</body></html>\n",
        escaped(title),
        dark = dark_style("figure"),
    )
}

const STYLE: &str = "\
:root{--paper:#fff;--ink:#16181d;--soft:#555b66;--line:#c9cdd4;--box:#f4f5f7;--link:#0057a8}\
body{font:16px/1.55 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:var(--ink);background:var(--paper)}\
a{color:var(--link)}h1{font-size:1.7rem;line-height:1.25}h2{font-size:1.3rem;margin:2.2rem 0 .6rem}h3{font-size:1.05rem;margin:1.6rem 0 .4rem}\
.findings{background:var(--box);border-left:4px solid var(--link);padding:.8rem 1rem .8rem 2.2rem;margin:1rem 0}\
.findings li{margin:.35rem 0}\
nav ul{columns:2;padding-left:1.2rem;margin:.3rem 0}nav h2{font-size:1rem;margin:1rem 0 .2rem}\
.scroll{overflow-x:auto;max-width:100%}.caption,figcaption{font-weight:600;margin:1.4rem 0 .3rem}figcaption{margin:.3rem 0 0}\
table{border-collapse:collapse;font-size:14px;font-variant-numeric:tabular-nums}\
th,td{border:1px solid var(--line);padding:.22rem .55rem;text-align:right;white-space:nowrap}\
th{background:var(--box);font-weight:600}th[scope=row]{text-align:left;font-weight:400;background:none}td.long{white-space:normal;text-align:left;min-width:18rem}\
details{margin:.35rem 0;border:1px solid var(--line);border-radius:4px;padding:.3rem .7rem}\
details[open]{padding-bottom:.8rem}summary{cursor:pointer;font-weight:600}\
figure{margin:1.8rem 0}svg{display:block;max-width:100%;height:auto}\
code,pre,td{overflow-wrap:anywhere}code,pre{font-size:13px}pre{white-space:pre-wrap;background:var(--box);padding:.6rem .8rem}\
@media (max-width:48rem){body{margin:1rem auto}nav ul{columns:1}figure svg{max-width:none;min-width:40rem;width:40rem}}";

const DARK: &str = ":root{--paper:#15181d;--ink:#e4e6ea;--soft:#a3a9b5;--line:#3b414b;--box:#1e2229;--link:#79b8ff}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_markup_is_escaped() {
        let table = table("a < b", &["x & y".into()], &[vec!["<script>".into(), "1".into()]]);
        assert!(table.contains("a &lt; b") && table.contains("x &amp; y") && table.contains("&lt;script&gt;"));
    }

    #[test]
    fn the_contents_name_the_sections_that_there_are() {
        let section = |id, title, body: &str| Section { id, title, body: body.into() };
        let page = page("t", "<p>first</p>", &[section("a", "One", "<p>1</p>"), section("b", "Two", "")]);
        assert!(page.contains("<li><a href=\"#a\">One</a></li>") && page.contains("<section id=\"a\">"), "{page}");
        assert!(!page.contains("Two"), "what is empty is left out");
        assert!(page.contains("prefers-color-scheme:dark") && page.contains("name=\"viewport\""));
        assert!(page.find("first").unwrap() < page.find("Contents").unwrap());
    }
}
