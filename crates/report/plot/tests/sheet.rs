//! Sheets: panels apart, one legend, colours and numbers that say what the data do, and the same in the table.

use latentlink_plot::{
    Axis, Cloud, Colour, Curve, Dot, Figure, HeatMap, Marker, Pattern, PlotError, Point, Ramp, Sheet,
};

/// Two schemes over two channels.
fn sweeps() -> Sheet {
    let chart = |title: &str, shift: f64| {
        let points = |top: f64| -> Vec<Point> {
            let value = |snr: f64| 0.5 + (top - 0.5) / (1.0 + (-(snr - shift) / 4.0).exp());
            (0..12)
                .map(|i| -12.0 + 3.0 * f64::from(i))
                .map(|x| Point::within(x, value(x), value(x) - 0.02, value(x) + 0.02))
                .collect()
        };
        Figure::against_snr(title, "Acc-2 pos")
            .curve(Curve::measured(0, "proposed (25 uses)", points(0.85)))
            .curve(Curve::measured(1, "T-DeepSC (19 uses)", points(0.8)).pattern(Pattern::Dotted))
            .level("best constant", 0.5, Colour::Grey, Pattern::Dotted)
            .shade("SNR trained at", -15.0, 21.0)
    };
    Sheet::new("builtin, test split, 5 seeds", 2).with(chart("AWGN", -9.0)).with(chart("Rayleigh fading", -3.0))
}

fn cloud(title: &str, spread: f64) -> Figure {
    let dot = |i: i32| {
        let value = f64::from(i % 7) - 3.0;
        Dot { x: value + spread * f64::from(i % 5), y: f64::from(i % 11) / 5.0, value }
    };
    let value = Axis::new("label").range(-3.0, 3.0);
    let cloud = Cloud { name: "clips".into(), dots: (0..200).map(dot).collect(), value, ramp: Ramp::Diverging };
    Figure::new(title, Axis::new("component 1"), Axis::new("component 2")).cloud(cloud)
}

fn clouds() -> Sheet {
    Sheet::new("What crosses the channel", 2).with(cloud("proposed", 0.2)).with(cloud("T-DeepSC", 0.9)).own_ranges()
}

fn heat(title: &str, diagonal: f64) -> HeatMap {
    let names: Vec<String> = (-3..=3).map(|c: i32| c.to_string().replace('-', "\u{2212}")).collect();
    let cell = |r: usize, c: usize| if r == c { diagonal } else { (100.0 - diagonal) / 6.0 };
    let mut cells: Vec<Vec<Option<f64>>> = (0..7).map(|r| (0..7).map(|c| Some(cell(r, c))).collect()).collect();
    cells[3] = vec![None; 7];
    let (x, y) = ("class decided".to_owned(), "class of the label".to_owned());
    HeatMap { title: title.into(), x, y, columns: names.clone(), rows: names, cells, most: 100.0 }
}

fn heats() -> Sheet {
    Sheet::new("Where a clip is lost", 3)
        .with(heat("\u{2212}12 dB", 22.0))
        .with(heat("0 dB", 52.0))
        .with(heat("12 dB", 94.0))
}

fn bars() -> Sheet {
    let uses = Axis::new("complex channel uses per clip").logarithmic();
    let points = [5.0, 10.0, 25.0, 40.0].map(|x: f64| Point::within(x, 0.6 + x.ln() / 20.0, 0.6, 0.65 + x.ln() / 18.0));
    let by_name = Figure::new(
        "audit",
        Axis::new("pair").names(["text\u{2013}audio", "text\u{2013}visual"]),
        Axis::new("J (nats)"),
    )
    .curve(Curve::new("floor", vec![Point::new(0.0, 0.03)], Colour::Black, Marker::Stroke).pattern(Pattern::None));
    Sheet::new("bars", 2)
        .with(Figure::new("uses", uses, Axis::new("Acc-2")).curve(Curve::measured(0, "ours", points.to_vec()).bars()))
        .with(by_name)
        .own_ranges()
}

fn texts(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    document.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text()).map(str::to_owned).collect()
}

fn count(svg: &str, text: &str) -> usize {
    texts(svg).iter().filter(|t| *t == text).count()
}

#[test]
fn panels_share_legend_title_and_label() {
    let svg = sweeps().svg().unwrap();
    for once in
        ["builtin, test split, 5 seeds", "AWGN", "Rayleigh fading", "proposed (25 uses)", "SNR trained at", "Acc-2 pos"]
    {
        assert_eq!(count(&svg, once), 1, "{once}");
    }
    // Each panel has its own numbers, and one vertical range for both.
    for tick in ["\u{2212}12", "21", "0.6", "0.8"] {
        assert_eq!(count(&svg, tick), 2, "{tick}: {:?}", texts(&svg));
    }
}

#[test]
fn panels_do_not_touch() {
    for (sheet, panels) in [(sweeps(), 2), (bars(), 2)] {
        let svg = sheet.svg().unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let number = |n: roxmltree::Node, name: &str| n.attribute(name).unwrap().parse::<f64>().unwrap();
        let clips: Vec<_> = document.descendants().filter(|n| n.has_tag_name("clipPath")).collect();
        assert_eq!(clips.len(), panels);
        let boxes: Vec<(f64, f64)> = clips
            .iter()
            .map(|clip| clip.first_element_child().unwrap())
            .map(|r| (number(r, "x"), number(r, "x") + number(r, "width")))
            .collect();
        assert!(boxes[0].1 + 20.0 < boxes[1].0, "{boxes:?}");
        assert!(boxes[1].1 < number(document.root_element(), "width"));
        assert_ne!(clips[0].attribute("id"), clips[1].attribute("id"));
    }
}

/// In one page, a cut of one figure must not be taken for that of another.
#[test]
fn figures_in_one_page_have_cuts_of_their_own() {
    let id = |sheet: &Sheet| {
        let svg = sheet.svg().unwrap();
        let from = svg.find("clipPath id=\"").unwrap() + 13;
        svg[from..from + 22].to_owned()
    };
    let mut other = sweeps();
    other.title.push('!');
    assert_ne!(id(&sweeps()), id(&other));
    assert_eq!(sweeps().svg().unwrap(), sweeps().svg().unwrap());
}

#[test]
fn a_cloud_has_the_colours_of_its_values_and_a_bar() {
    let svg = clouds().svg().unwrap();
    let circles = |fill: &str| svg.matches(&format!("r=\"3.4\" fill=\"{fill}\"")).count();
    // 200 dots, i % 7 = 0 for 29 of them, in each of two panels.
    assert_eq!(circles(&Ramp::Diverging.hex(0.0)), 58);
    assert_eq!(circles(&Ramp::Diverging.hex(0.5)), 58);
    assert_eq!(circles(&Ramp::Diverging.hex(1.0)), 56);
    assert_eq!(count(&svg, "label"), 1);
    assert!(
        clouds().csv().lines().filter(|line| line.starts_with("proposed,component 1,component 2,clips,")).count()
            == 200
    );
}

#[test]
fn a_heat_map_says_its_numbers() {
    let svg = heats().svg().unwrap();
    assert_eq!((count(&svg, "22"), count(&svg, "52"), count(&svg, "94")), (6, 6, 6));
    assert_eq!(svg.matches(&format!("fill=\"{}\"", Ramp::Sequential.hex(0.94))).count(), 6);
    let table = heats().csv();
    assert!(table.contains("12 dB,class decided,class of the label,,2,2,,,94\n"), "{table}");
    assert!(table.contains("12 dB,class decided,class of the label,,2,0,,,\n"), "{table}");
    let mut wrong = heat("short", 50.0);
    wrong.cells[2].pop();
    let error = Sheet::new("t", 1).with(wrong).svg().unwrap_err();
    assert_eq!(error.to_string(), "heat map 'short': expected 7 rows of 7 columns, got 6 cells in row 2");
}

#[test]
fn the_table_has_every_number_to_the_last_bit() {
    let table = sweeps().csv();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("panel,x_axis,y_axis,series,x,y,low,high,value"));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 2 * (24 + 1));
    let first: Vec<&str> = lines[0].rsplit(',').collect();
    let Some(Figure { curves, .. }) = sweeps().panels.first().and_then(|p| match p {
        latentlink_plot::Panel::Chart(figure) => Some(figure.clone()),
        latentlink_plot::Panel::Heat(_) => None,
    }) else {
        panic!("a chart")
    };
    let point = curves[0].points[0];
    let (low, high) = point.interval.unwrap();
    assert_eq!(first[..5], ["", &high.to_string(), &low.to_string(), &point.y.to_string(), "-12"]);
    assert!(
        lines[0].starts_with("AWGN,\"SNR, Es/N0 per complex symbol (dB)\",Acc-2 pos,proposed (25 uses),-12,"),
        "{}",
        lines[0]
    );
    assert!(bars().csv().contains("audit,pair,J (nats),floor,text\u{2013}audio,0.03,,,\n"), "{}", bars().csv());
}

#[test]
fn bars_stand_at_their_points_and_a_log_axis_refuses_zero() {
    let svg = bars().svg().unwrap();
    // Four bars in the chart, one in the legend.
    assert_eq!(svg.matches("stroke-width=\"1.6\"").count(), 5);
    let figure = Figure::new("t", Axis::new("uses").logarithmic(), Axis::new("y")).curve(Curve::measured(
        0,
        "a",
        vec![Point::new(0.0, 1.0)],
    ));
    assert!(matches!(figure.svg().unwrap_err(), PlotError::NotPositive { value: 0.0, .. }));
    let empty = Sheet::new("nothing", 2).svg().unwrap_err();
    assert_eq!(empty.to_string(), "figure 'nothing' has no points to draw");
}

#[test]
fn every_kind_rasterises() {
    for (name, sheet) in [("sweeps", sweeps()), ("clouds", clouds()), ("heats", heats()), ("bars", bars())] {
        assert!(sheet.png().unwrap().starts_with(b"\x89PNG"));
        if let Ok(keep) = std::env::var("LATENTLINK_KEEP_FIGURE") {
            sheet.save(std::path::Path::new(&format!("{keep}-{name}"))).unwrap();
        }
    }
}

/// Lines are named beside the chart, in the order of their ends and apart, and the vertical range is that of the curves.
#[test]
fn ends_are_named_instead_of_a_legend() {
    let curve = |index: usize, name: &str, y: f64| {
        Curve::measured(index, name, vec![Point::new(-12.0, y - 0.1), Point::new(21.0, y)])
    };
    let figure = |title: &str| {
        Figure::against_snr(title, "Acc-2")
            .curve(curve(0, "best", 0.84))
            .curve(curve(1, "close", 0.839))
            .curve(curve(2, "as close", 0.8385))
            .level("baseline", 0.5, Colour::Grey, Pattern::Dotted)
            .shade("SNR trained at", 0.0, 21.0)
    };
    let sheet = Sheet::new("t", 1).with(figure("AWGN")).with(figure("Rayleigh")).name_ends().own_ranges();
    let svg = sheet.svg().unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let place = |name: &str| -> Vec<(f64, f64)> {
        let texts = document.descendants().filter(|n| n.has_tag_name("text") && n.text() == Some(name));
        let number = |n: &roxmltree::Node, of: &str| n.attribute(of).unwrap().parse::<f64>().unwrap();
        texts.map(|n| (number(&n, "x"), number(&n, "y"))).collect()
    };
    let frame_right = svg.match_indices("<clipPath").count();
    assert_eq!(frame_right, 2);
    let (best, close, last) = (place("best"), place("close"), place("as close"));
    assert_eq!((best.len(), close.len(), last.len()), (2, 2, 2), "once in each panel and in no legend");
    for panel in 0..2 {
        assert!(close[panel].1 - best[panel].1 >= 16.9 && last[panel].1 - close[panel].1 >= 16.9);
    }
    assert_eq!(place("SNR trained at").len(), 1, "the shade alone is in the legend");
    // The baseline is far below the curves, so it is named with its value at the lower edge, and no tick is there.
    assert_eq!((place("baseline (0.500)").len(), place("baseline").len()), (2, 0));
    assert!(place("0.5").is_empty() && place("0.50").is_empty());
    let width: f64 = document.root_element().attribute("width").unwrap().parse().unwrap();
    assert!(best.iter().all(|(x, _)| *x > 500.0 && *x < width));
    sheet.png().unwrap();
}
