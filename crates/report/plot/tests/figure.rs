//! The files a figure leaves: right size, well-formed, with every label, and the same picture in both.

use latentlink_plot::{Axis, Colour, Curve, Figure, Pattern, PlotError, Point};

const SNR: [f64; 12] = [-12.0, -9.0, -6.0, -3.0, 0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0, 21.0];

/// An S-shaped curve between 0.55 and `top`, with an interval of ±`half`.
fn curve(top: f64, at: f64, half: f64) -> Vec<Point> {
    let value = |snr: f64| 0.55 + (top - 0.55) / (1.0 + (-(snr - at) / 4.0).exp());
    SNR.iter().map(|&x| Point::within(x, value(x), value(x) - half, value(x) + half)).collect()
}

fn line(top: f64, at: f64) -> Vec<Point> {
    curve(top, at, 0.0).iter().map(|p| Point::new(p.x, p.y)).collect()
}

fn demo() -> Figure {
    Figure::against_snr("Sentiment over a noisy channel: builtin, test split, 686 clips", "Acc-2 (pos)")
        .curve(Curve::measured(0, "AWGN", curve(0.842, -9.0, 0.027)))
        .curve(Curve::measured(1, "Rayleigh block fading", curve(0.838, -3.0, 0.027)))
        .curve(Curve::reference(0, "matched filter, AWGN", line(0.846, -10.0)))
        .curve(Curve::reference(1, "matched filter, Rayleigh", line(0.846, -5.0)))
        .level("noiseless", 0.846, Colour::Grey, Pattern::DashDotted)
        .level("best constant", 0.548, Colour::Grey, Pattern::Dotted)
        .shade("trained on", 0.0, 18.0)
}

fn decoded(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!(info.color_type, png::ColorType::Rgba);
    (info.width, info.height, pixels)
}

/// The share of pixels within 12 levels of a colour.
fn share(pixels: &[u8], colour: Colour) -> f64 {
    let hex = u32::from_str_radix(&colour.hex()[1..], 16).unwrap();
    let wanted = [(hex >> 16) as u8, (hex >> 8) as u8, hex as u8];
    let near = |p: &[u8]| p.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 12);
    let hits = pixels.chunks(4).filter(|p| near(&p[..3])).count();
    hits as f64 / (pixels.len() / 4) as f64
}

#[test]
fn one_call_leaves_both_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let files = demo().save(&folder.path().join("acc2.v1")).unwrap();
    assert_eq!(files.png.file_name().unwrap(), "acc2.v1.png");
    assert_eq!(files.svg.file_name().unwrap(), "acc2.v1.svg");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    assert_eq!(std::fs::read(&files.png).unwrap(), demo().png().unwrap());
    assert_eq!(std::fs::read_to_string(&files.svg).unwrap(), demo().svg().unwrap());
    if let Ok(keep) = std::env::var("LATENTLINK_KEEP_FIGURE") {
        demo().save(keep.as_ref()).unwrap();
    }
}

#[test]
fn svg_is_well_formed_and_holds_every_label() {
    let svg = demo().svg().unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    assert_eq!(document.root_element().tag_name().name(), "svg");
    let texts: Vec<&str> = document.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text()).collect();
    let figure = demo();
    let names = figure.curves.iter().map(|c| &c.name).chain(figure.levels.iter().map(|l| &l.name));
    for name in names.chain([&figure.title, &figure.x.label, &figure.y.label, &figure.shade.as_ref().unwrap().name]) {
        assert_eq!(texts.iter().filter(|t| *t == name).count(), 1, "'{name}' in {texts:?}");
    }
    for tick in ["\u{2212}12", "0", "21", "0.60"] {
        assert!(texts.contains(&tick), "no tick {tick} in {texts:?}");
    }
}

#[test]
fn png_is_the_svg_three_times_as_large() {
    let svg = demo().svg().unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let size = |name: &str| document.root_element().attribute(name).unwrap().parse::<u32>().unwrap();
    let (width, height, pixels) = decoded(&demo().png().unwrap());
    assert_eq!((width, height), (3 * size("width"), 3 * size("height")));
    assert!(pixels.chunks(4).all(|p| p[3] == 255), "the background is opaque");
}

#[test]
fn png_shows_each_curve_in_its_colour_and_text_in_ink() {
    let (_, _, with) = decoded(&demo().png().unwrap());
    for colour in [Colour::Blue, Colour::Vermillion] {
        assert!(share(&with, colour) > 1e-3, "{colour:?}: {}", share(&with, colour));
    }
    assert_eq!(share(&with, Colour::Green), 0.0);
    // Letters need the font: without glyphs, the axes alone are about a third as much ink.
    let ink = with.chunks(4).filter(|p| p[..3].iter().all(|&v| v < 60)).count();
    assert!(ink > 15_000, "{ink} dark pixels");
}

#[test]
fn legend_entries_stay_inside_and_apart() {
    let long = "a scheme with a name that is really rather long for a legend";
    let mut figure = demo();
    for index in 2..6 {
        figure = figure.curve(Curve::measured(index, format!("{long} {index}"), line(0.8, index as f64)));
    }
    let svg = figure.svg().unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let entries = document.descendants().filter(|n| n.attribute("text-anchor") == Some("start"));
    let mut places: Vec<(i64, i64)> = entries
        .map(|n| {
            let place = |name: &str| n.attribute(name).unwrap().parse::<f64>().unwrap() as i64;
            (place("x"), place("y"))
        })
        .collect();
    assert_eq!(places.len(), figure.curves.len() + figure.levels.len() + 1);
    let height: i64 = document.root_element().attribute("height").unwrap().parse().unwrap();
    assert!(places.iter().all(|&(x, y)| x < 640 && y < height));
    places.sort();
    places.dedup();
    assert_eq!(places.len(), figure.curves.len() + figure.levels.len() + 1, "two entries in one place");
}

#[test]
fn names_may_hold_anything() {
    let name = "a < b & \"c\" > 'd'\u{7}";
    let figure = Figure::against_snr(name, "x").curve(Curve::measured(0, "one", vec![Point::new(0.0, 1.0)]));
    let svg = figure.svg().unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    let shown = "a < b & \"c\" > 'd'";
    assert!(document.descendants().any(|n| n.has_tag_name("text") && n.text() == Some(shown)));
    figure.png().unwrap();
}

#[test]
fn curves_outside_a_fixed_range_are_cut_off() {
    let figure = Figure::new("cut", Axis::new("x").range(0.0, 1.0), Axis::new("y").range(0.0, 1.0))
        .curve(Curve::measured(0, "far", vec![Point::new(-5.0, -5.0), Point::new(0.5, 0.5), Point::new(9.0, 9.0)]));
    let svg = figure.svg().unwrap();
    let document = roxmltree::Document::parse(&svg).unwrap();
    // One marker in the chart and one in the legend.
    assert_eq!(document.descendants().filter(|n| n.has_tag_name("circle")).count(), 2);
    let line = document.descendants().find(|n| n.has_tag_name("polyline")).unwrap();
    assert!(line.parent().unwrap().attribute("clip-path").is_some());
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let empty = Figure::against_snr("nothing", "Acc-2").svg().unwrap_err();
    assert_eq!(empty.to_string(), "figure 'nothing' has no points to draw");
    let points = vec![Point::new(0.0, 0.5), Point::new(3.0, f64::NAN)];
    let figure = Figure::against_snr("t", "Acc-2").curve(Curve::measured(0, "AWGN", points));
    let error = figure.png().unwrap_err();
    assert_eq!(error.to_string(), "curve 'AWGN', point 1: y is NaN, not a finite number");
}

#[test]
fn a_folder_that_is_not_there_is_named_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let error = demo().save(&folder.path().join("none/acc2")).unwrap_err();
    assert!(matches!(&error, PlotError::Write(write) if write.path.ends_with("none/acc2.svg")), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
