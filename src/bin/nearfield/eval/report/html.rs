//! Text and tables as HTML.

/// Text inside HTML, where it can mean nothing but itself.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() && c != '\n' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A number with the sign that typesetters use, as wide as a plus.
pub fn minus(number: &str) -> String {
    number.replace('-', "\u{2212}")
}

/// A section under a heading.
pub fn section(heading: &str, body: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{body}</section>\n", escape(heading))
}

pub fn paragraph(class: &str, text: &str) -> String {
    format!("<p class=\"{class}\">{}</p>\n", escape(text))
}

/// A cell of a table.
#[derive(Default)]
pub struct Cell {
    pub text: String,
    /// Smaller, below the text.
    pub below: String,
    pub is_best: bool,
}

/// A row: its name, whether it is our own, its cells.
pub struct Row {
    pub name: String,
    pub is_own: bool,
    pub cells: Vec<Cell>,
}

/// A table whose first column names the rows.
pub fn table(corner: &str, heads: &[String], rows: &[Row], caption: &str) -> String {
    let mut out = format!(
        "<div class=\"scroll\"><table>\n<caption>{}</caption>\n<thead><tr><th scope=\"col\">{}</th>",
        escape(caption),
        escape(corner)
    );
    for head in heads {
        out.push_str(&format!("<th scope=\"col\">{}</th>", escape(head)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        let class = if row.is_own { " class=\"own\"" } else { "" };
        out.push_str(&format!("<tr{class}><th scope=\"row\">{}</th>", escape(&row.name)));
        for cell in &row.cells {
            let class = if cell.is_best { " class=\"best\"" } else { "" };
            out.push_str(&format!("<td{class}>{}", escape(&cell.text)));
            if !cell.below.is_empty() {
                out.push_str(&format!("<small>{}</small>", escape(&cell.below)));
            }
            out.push_str("</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

/// A table of names and values.
pub fn facts(rows: &[(&str, String)]) -> String {
    let mut out = String::from("<table class=\"facts\"><tbody>\n");
    for (name, value) in rows {
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n",
            escape(name),
            escape(value)
        ));
    }
    out.push_str("</tbody></table>\n");
    out
}

/// A drawing with what it shows in words.
pub fn figure(svg: &str, caption: &str) -> String {
    format!("<figure>\n{svg}<figcaption>{}</figcaption>\n</figure>\n", escape(caption))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let nasty = "<script>alert('x' & \"y\")</script>\u{1b}[31m";
        let safe = escape(nasty);
        assert_eq!(
            safe,
            "&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;\u{fffd}[31m"
        );
        let row = Row {
            name: nasty.into(),
            is_own: true,
            cells: vec![Cell { text: nasty.into(), below: nasty.into(), is_best: true }],
        };
        let page = table(nasty, &[nasty.into()], &[row], nasty)
            + &facts(&[("a", nasty.into())])
            + &figure("", nasty)
            + &section(nasty, &paragraph("soft", nasty));
        // Six in the table; one each as a value, a caption, a heading and a paragraph.
        assert_eq!(page.matches(&safe).count(), 10);
        assert!(!page.contains("<script"));
    }
}
