//! Plots as SVG, drawn with the classes of `style.css`, so that they follow light, dark and print.

use nearfield::eval::statistics::Estimate;

use super::html::{escape, minus};

/// Width of every plot; heights follow from what is in it.
const WIDTH: f64 = 1000.0;

/// A linear map from values to places, over a range that is stretched to round numbers.
struct Scale {
    low: f64,
    high: f64,
    step: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Over all `values`, from place `from` to place `to`, with about `n` ticks.
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64, n: f64) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|v| v.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        let span = if high > low { high - low } else { high.abs().max(1e-3) };
        let rough = span / n;
        let unit = libm::pow(10.0, libm::floor(libm::log10(rough)));
        let step = [1.0, 2.0, 5.0, 10.0]
            .into_iter()
            .map(|times| times * unit)
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        // A hair of slack, so that a value on a tick does not open another step.
        let low = libm::floor(low / step + 1e-9) * step;
        let high = (libm::ceil(high / step - 1e-9) * step).max(low + step);
        Self { low, high, step, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }

    /// Round values with their texts.
    fn ticks(&self) -> Vec<(f64, String)> {
        let n = ((self.high - self.low) / self.step).round() as usize;
        let digits = (-libm::floor(libm::log10(self.step) + 1e-9)).max(0.0) as usize;
        (0..=n)
            .map(|i| {
                let value = self.low + i as f64 * self.step;
                // No "-0".
                let value = if value.abs() < self.step / 2.0 { 0.0 } else { value };
                (value, minus(&format!("{value:.digits$}")))
            })
            .collect()
    }
}

fn line(class: &str, x1: f64, y1: f64, x2: f64, y2: f64) -> String {
    format!(
        "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>\n"
    )
}

fn text(class: &str, x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!(
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
        escape(text)
    )
}

fn dot(class: &str, x: f64, y: f64, about: &str) -> String {
    format!(
        "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4.5\"><title>{}</title></circle>\n",
        escape(about)
    )
}

/// The whole, with what it shows for those who do not see it.
fn svg(height: f64, about: &str, body: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{}\">\n{body}</svg>\n",
        escape(about)
    )
}

/// One line of [`intervals`].
pub struct Bar {
    pub name: String,
    pub estimate: Estimate,
    /// The estimate in figures.
    pub text: String,
    pub is_own: bool,
}

/// Means with their intervals, one line each. `zero`: what being left and right of zero means,
/// for differences.
pub fn intervals(bars: &[Bar], label: &str, zero: Option<(&str, &str)>) -> String {
    const ROW: f64 = 34.0;
    let names = bars.iter().map(|b| b.name.chars().count()).max().unwrap_or(0) as f64;
    let figures = bars.iter().map(|b| b.text.chars().count()).max().unwrap_or(0) as f64;
    let (left, right) = ((7.4 * names + 28.0).min(280.0), WIDTH - 7.4 * figures - 28.0);
    let top = if zero.is_some() { 26.0 } else { 8.0 };
    let bottom = top + ROW * bars.len() as f64;
    let bounds = |e: &Estimate| e.interval().unwrap_or((e.mean, e.mean));
    let ends = bars.iter().flat_map(|b| <[f64; 2]>::from(bounds(&b.estimate)));
    let scale = Scale::over(ends.chain(zero.map(|_| 0.0)), left, right, 6.0);
    let mut body = String::new();
    for (value, tick) in scale.ticks() {
        let x = scale.at(value);
        body += &line("grid", x, top, x, bottom);
        body += &text("tick", x, bottom + 17.0, "middle", &tick);
    }
    if let Some((worse, better)) = zero {
        let x = scale.at(0.0);
        body += &line("zero", x, top, x, bottom);
        if x - left > 7.0 * worse.chars().count() as f64 {
            body += &text("tick", x - 10.0, top - 10.0, "end", worse);
        }
        if right - x > 7.0 * better.chars().count() as f64 {
            body += &text("tick", x + 10.0, top - 10.0, "start", better);
        }
    }
    body += &text("tick", f64::midpoint(left, right), bottom + 37.0, "middle", label);
    for (i, bar) in bars.iter().enumerate() {
        let y = top + ROW * (i as f64 + 0.5);
        let class = if bar.is_own { "mark own" } else { "mark" };
        let (low, high) = bounds(&bar.estimate);
        body += &text("", 0.0, y + 4.5, "start", &bar.name);
        body += &line(class, scale.at(low), y, scale.at(high), y);
        body += &dot(class, scale.at(bar.estimate.mean), y, &bar.text);
        body += &text("", WIDTH, y + 4.5, "end", &bar.text);
    }
    svg(bottom + 44.0, label, &body)
}

/// A place on a curve.
pub struct Point {
    /// Along, up, and what the step is called. Without a place of its own along, the steps are
    /// equally far apart.
    pub along: Option<f64>,
    pub up: Estimate,
    pub step: String,
}

/// A curve through points in their order, with a band for their intervals where steps are equally
/// far apart and whiskers where they are not. `others` is what it is compared with: points where
/// they have a place along, and else lines at their level.
pub fn curve(points: &[Point], along: &str, up: &str, others: &[Point]) -> String {
    let (left, right, top, bottom) = (72.0, WIDTH - 150.0, 14.0, 340.0);
    let is_stepped = points.iter().any(|p| p.along.is_none());
    let bounds = |e: &Estimate| e.interval().unwrap_or((e.mean, e.mean));
    let ends = points.iter().flat_map(|p| <[f64; 2]>::from(bounds(&p.up)));
    let y = Scale::over(ends.chain(others.iter().map(|o| o.up.mean)), bottom, top, 6.0);
    let alongs = points.iter().chain(others).filter_map(|p| p.along);
    let x = Scale::over(alongs, left + 12.0, right - 12.0, 8.0);
    let n_gaps = (points.len().max(2) - 1) as f64;
    let place = |i: usize| match points[i].along {
        Some(value) if !is_stepped => x.at(value),
        _ => left + 20.0 + i as f64 / n_gaps * (right - left - 40.0),
    };
    let mut body = String::new();
    for (value, tick) in y.ticks() {
        body += &line("grid", left, y.at(value), right, y.at(value));
        body += &text("tick", left - 10.0, y.at(value) + 4.0, "end", &tick);
    }
    if !is_stepped {
        for (value, tick) in x.ticks() {
            body += &line("grid", x.at(value), top, x.at(value), bottom);
            body += &text("tick", x.at(value), bottom + 19.0, "middle", &tick);
        }
    }
    for other in others.iter().filter(|_| !is_stepped) {
        let Some(along) = other.along else { continue };
        let (px, py) = (x.at(along), y.at(other.up.mean));
        body += &dot("mark", px, py, &format!("{}: {:.4}", other.step, other.up.mean));
        // To the left, since the curve's own steps have their names to the right.
        if px - left > 8.0 * other.step.chars().count() as f64 {
            body += &text("tick", px - 9.0, py + 4.0, "end", &other.step);
        } else {
            body += &text("tick", px + 9.0, py + 4.0, "start", &other.step);
        }
    }
    let is_level = |other: &&Point| is_stepped || other.along.is_none();
    let mut levels: Vec<(f64, &str)> =
        others.iter().filter(is_level).map(|o| (y.at(o.up.mean), o.step.as_str())).collect();
    levels.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Names that would overlap move down.
    let mut free = f64::NEG_INFINITY;
    for (at, name) in levels {
        body += &line("level", left, at, right, at);
        let shown = at.max(free);
        body += &text("tick", right + 8.0, shown + 4.0, "start", name);
        free = shown + 15.0;
    }
    let places: Vec<(f64, f64)> =
        points.iter().enumerate().map(|(i, p)| (place(i), y.at(p.up.mean))).collect();
    let path = |places: &mut dyn Iterator<Item = (f64, f64)>| {
        places.map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    };
    if is_stepped {
        let edge = |i: usize, high: bool| {
            let (l, h) = bounds(&points[i].up);
            (place(i), y.at(if high { h } else { l }))
        };
        let there = (0..points.len()).map(|i| edge(i, true));
        let back = (0..points.len()).rev().map(|i| edge(i, false));
        body +=
            &format!("<polygon class=\"band\" points=\"{}\"/>\n", path(&mut there.chain(back)));
    }
    body +=
        &format!("<polyline class=\"curve\" points=\"{}\"/>\n", path(&mut places.iter().copied()));
    // Where steps crowd, only some are named; all of them have a tooltip, and stand in the table.
    let mut named = (f64::NEG_INFINITY, 0.0);
    for (point, (px, py)) in points.iter().zip(&places) {
        let (low, high) = bounds(&point.up);
        if !is_stepped {
            body += &line("mark own", *px, y.at(low), *px, y.at(high));
            if (px - named.0).abs() > 44.0 || (py - named.1).abs() > 16.0 {
                body += &text("tick", px + 8.0, py - 8.0, "start", &point.step);
                named = (*px, *py);
            }
        } else {
            body += &text("tick", *px, bottom + 19.0, "middle", &point.step);
        }
        let about = format!("{}: {:.4}", point.step, point.up.mean);
        body += &dot("mark own", *px, *py, &about);
    }
    body += &text("tick", f64::midpoint(left, right), bottom + 41.0, "middle", along);
    body += &format!(
        "<text class=\"tick\" transform=\"translate(14 {:.1}) rotate(-90)\" \
         text-anchor=\"middle\">{}</text>\n",
        f64::midpoint(top, bottom),
        escape(up)
    );
    svg(bottom + 48.0, &format!("{up} along {along}"), &body)
}

/// How often values occur, with marks at some of them. The few highest values, beyond `most`, are
/// counted in the last bin.
pub fn histogram(values: &[f64], most: f64, marks: &[(String, f64)], label: &str) -> String {
    const BINS: usize = 40;
    let (left, right, top, bottom) = (48.0, WIDTH - 16.0, 26.0, 210.0);
    let x = Scale::over([0.0, most].into_iter(), left, right, 8.0);
    let mut counts = [0usize; BINS];
    for value in values {
        let bin = ((value / x.high * BINS as f64) as usize).min(BINS - 1);
        counts[bin] += 1;
    }
    let highest = counts.iter().copied().max().unwrap_or(0);
    let y = Scale::over([0.0, highest as f64].into_iter(), bottom, top, 4.0);
    let mut body = String::new();
    for (value, tick) in y.ticks() {
        body += &line("grid", left, y.at(value), right, y.at(value));
        body += &text("tick", left - 8.0, y.at(value) + 4.0, "end", &tick);
    }
    for (value, tick) in x.ticks() {
        body += &text("tick", x.at(value), bottom + 18.0, "middle", &tick);
    }
    let width = (right - left) / BINS as f64;
    for (i, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let at = y.at(*count as f64);
        body += &format!(
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{at:.1}\" width=\"{:.1}\" height=\"{:.1}\">\
             <title>{count}</title></rect>\n",
            left + i as f64 * width + 0.5,
            width - 1.0,
            bottom - at
        );
    }
    for (name, value) in marks.iter().filter(|(_, value)| *value <= x.high) {
        body += &line("rule", x.at(*value), top - 8.0, x.at(*value), bottom);
        body += &text("tick", x.at(*value), top - 13.0, "middle", name);
    }
    body += &text("tick", f64::midpoint(left, right), bottom + 38.0, "middle", label);
    svg(bottom + 44.0, label, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_round_and_hold_all_values() {
        for (low, high) in [(0.0, 1.0), (0.203, 0.411), (-0.02, 0.19), (3.0, 3.0), (0.0, 0.0)] {
            let scale = Scale::over([low, high].into_iter(), 100.0, 700.0, 6.0);
            assert!(scale.low <= low && scale.high >= high, "{low} to {high}");
            assert!(scale.at(low) >= 100.0 - 1e-6 && scale.at(high) <= 700.0 + 1e-6);
            let ticks = scale.ticks();
            assert!((2..=9).contains(&ticks.len()), "{ticks:?}");
            for (value, text) in ticks {
                assert!(
                    (text.replace('\u{2212}', "-").parse::<f64>().unwrap() - value).abs() < 1e-9,
                    "{value}: {text}"
                );
            }
        }
        let ticks = Scale::over([-0.1, 0.1].into_iter(), 0.0, 1.0, 2.0).ticks();
        let texts: Vec<&str> = ticks.iter().map(|t| t.1.as_str()).collect();
        assert_eq!(texts, ["\u{2212}0.1", "0.0", "0.1"]);
        // Nothing to draw is no reason to fail.
        assert_eq!(Scale::over(std::iter::empty(), 0.0, 1.0, 4.0).ticks().len(), 3);
    }

    #[test]
    fn plots_put_each_value_in_its_place() {
        let estimate = |mean| Estimate { mean, error: Some(0.01) };
        let bar = |name: &str, mean| Bar {
            name: name.into(),
            estimate: estimate(mean),
            text: format!("{mean}"),
            is_own: false,
        };
        let drawn = intervals(&[bar("a<b", 0.1), bar("c", 0.3)], "recall", None);
        assert!(drawn.contains("a&lt;b") && drawn.matches("<circle").count() == 2);
        let centres: Vec<f64> = drawn
            .split("cx=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        assert!(centres[0] < centres[1], "{centres:?}");

        let point = |along, mean| Point { along, up: estimate(mean), step: "s".into() };
        let stepped = curve(&[point(None, 0.1), point(None, 0.2)], "n", "recall", &[]);
        assert!(stepped.contains("class=\"band\""));
        let traded = |other: Point| {
            curve(&[point(Some(1.0), 0.1), point(Some(4.0), 0.2)], "ms", "recall", &[other])
        };
        let level = traded(point(None, 0.15));
        assert!(level.contains("class=\"level\"") && !level.contains("class=\"band\""));
        assert_eq!(level.matches("<circle").count(), 2);
        let beside = traded(point(Some(2.0), 0.15));
        assert!(!beside.contains("class=\"level\""));
        assert_eq!(beside.matches("<circle").count(), 3);

        let bars = histogram(&[0.1, 0.1, 0.9, 77.0], 1.0, &[("p50".into(), 0.1)], "ms");
        assert!(bars.contains("<title>2</title>") && bars.contains("p50"));
        assert_eq!(bars.matches("<rect").count(), 3, "what is too high is in the last bin");
    }
}
