//! The little HTML that a report needs.

/// Text as it stands between tags and in quoted attributes.
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

/// A table; the first column of each row is its head.
pub fn table(caption: &str, header: &[String], rows: &[Vec<String>]) -> String {
    let cells = |row: &[String], tag: &str| -> String {
        row.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect()
    };
    let mut out = format!("<table><caption>{}</caption>\n<tr>{}</tr>\n", escaped(caption), cells(header, "th"));
    for row in rows {
        let (first, rest) = row.split_first().map_or((String::new(), &row[..]), |(first, rest)| (first.clone(), rest));
        out += &format!("<tr><th scope=\"row\">{}</th>{}</tr>\n", escaped(&first), cells(rest, "td"));
    }
    out + "</table>\n"
}

/// A page that needs nothing beside itself.
pub fn page(title: &str, body: &str) -> String {
    let style = "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#111}\
                 table{border-collapse:collapse;margin:1.5rem 0;font-size:13px;display:block;overflow-x:auto}\
                 caption{text-align:left;font-weight:600;padding:.3rem 0}\
                 th,td{border:1px solid #bbb;padding:.2rem .5rem;text-align:right;white-space:nowrap}\
                 th[scope=row]{text-align:left;font-weight:400}\
                 figure{margin:1.5rem 0}figcaption{font-weight:600}svg{max-width:100%;height:auto}\
                 code,pre{font-size:13px;overflow-wrap:anywhere}pre{white-space:pre-wrap}";
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>\n<style>{style}</style></head>\n\
         <body>\n<h1>{0}</h1>\n{body}</body></html>\n",
        escaped(title)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_markup_is_escaped() {
        let table = table("a < b", &["x & y".into()], &[vec!["<script>".into(), "1".into()]]);
        assert!(table.contains("a &lt; b") && table.contains("x &amp; y") && table.contains("&lt;script&gt;"));
    }
}
