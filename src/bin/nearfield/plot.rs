//! Curves as an SVG image that needs nothing else.

/// The image's size, and the margins around the area of the curves; the right one has the names.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 240.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 48.0;
/// Told apart by people with any colour vision (Okabe and Ito 2008), and by name beside the line.
const COLOURS: [&str; 7] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];

/// Curves over 1, 2, 3 and so on, from 0 up, each with its name at its end. Names and axes are
/// plain text without markup.
pub fn lines(x_axis: &str, y_axis: &str, series: &[(&str, &[f64])]) -> String {
    let n = series.iter().map(|(_, ys)| ys.len()).max().unwrap_or(0).max(1) as f64;
    let highest = series.iter().flat_map(|(_, ys)| ys.iter().copied()).fold(1e-9, f64::max);
    let x = |i: f64| LEFT + (WIDTH - LEFT - RIGHT) * i / n;
    let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / highest;

    let mut svg = format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{y_axis} by {x_axis}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#444\">\n"
    );
    let mut text = |x: f64, y: f64, anchor: &str, colour: &str, text: &str| {
        svg.push_str(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>\n"
        ));
    };
    let grey = "#444";
    for tick in ticks(n) {
        text(x(tick), HEIGHT - BOTTOM + 18.0, "middle", grey, &number(tick));
    }
    for tick in ticks(highest) {
        text(LEFT - 8.0, y(tick) + 4.0, "end", grey, &number(tick));
    }
    text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8.0, "middle", grey, x_axis);
    text(LEFT + 8.0, TOP + 8.0, "start", grey, y_axis);
    for ((name, at), colour) in names(series, y).into_iter().zip(COLOURS.iter().cycle()) {
        text(WIDTH - RIGHT + 8.0, at + 4.0, "start", colour, name);
    }
    for tick in ticks(highest) {
        let (at, end) = (y(tick), WIDTH - RIGHT);
        svg.push_str(&format!("<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#ddd\"/>\n"));
    }
    for ((_, ys), colour) in series.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<String> = std::iter::once((0.0, 0.0))
            .chain((1..).zip(*ys).map(|(i, value)| (f64::from(i), *value)))
            .map(|(i, value)| format!("{:.1},{:.1}", x(i), y(value)))
            .collect();
        svg.push_str(&format!(
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>\n",
            points.join(" ")
        ));
    }
    svg.push_str("</svg>");
    svg
}

/// Multiples of 1, 2 or 5 times a power of ten from 0 to `end`, which is positive: 3 to 6 of them.
fn ticks(end: f64) -> Vec<f64> {
    let (mut step, mut factors) = (1e-9, [2.0, 2.5, 2.0].iter().cycle());
    while end / step > 6.0 {
        step *= factors.next().unwrap_or(&2.0);
    }
    (0..=(end / step) as u32).map(|i| f64::from(i) * step).collect()
}

/// Where each curve's name stands: at its end, but a line apart from the others.
fn names<'a>(series: &[(&'a str, &[f64])], y: impl Fn(f64) -> f64) -> Vec<(&'a str, f64)> {
    let end = |ys: &[f64]| y(ys.last().copied().unwrap_or(0.0));
    let mut order: Vec<usize> = (0..series.len()).collect();
    order.sort_by(|a, b| end(series[*a].1).total_cmp(&end(series[*b].1)));
    let mut places: Vec<(&str, f64)> = series.iter().map(|(name, ys)| (*name, end(ys))).collect();
    let mut lowest = f64::NEG_INFINITY;
    for i in order {
        places[i].1 = places[i].1.max(lowest + 16.0);
        lowest = places[i].1;
    }
    places
}

/// A tick's number, without what its multiplications left behind the sixth place.
fn number(tick: f64) -> String {
    ((tick * 1e6).round() / 1e6).to_string()
}
