//! Programs back to either spelling. Nothing a page does needs this, so the module without a use
//! for it does not carry it: numbers print with the standard library's shortest digits.

use super::expr::{Expr, Kind, Op};
use super::lex::is_name;
use super::text::{AND, KEYWORDS, OR, PRODUCT, SUM, TEST};

pub(super) fn text(expr: &Expr) -> String {
    let mut out = String::new();
    put(expr, OR, &mut out);
    out
}

/// Writes an expression where operators weaker than `floor` need parentheses.
fn put(expr: &Expr, floor: u8, out: &mut String) {
    match &expr.kind {
        Kind::Flag(it) => out.push_str(if *it { "true" } else { "false" }),
        Kind::Number(x) => number(*x, out),
        // Control characters stay as they are: escapes could make a long program too long.
        Kind::Text(it) => {
            out.push('"');
            out.push_str(&it.replace('\\', "\\\\").replace('"', "\\\""));
            out.push('"');
        }
        Kind::List(all) => {
            out.push('[');
            separated(all, ", ", SUM, out);
            out.push(']');
        }
        Kind::Field(it) => name(it, true, out),
        Kind::Param(it) => {
            out.push('$');
            name(it, false, out);
        }
        Kind::Call(op, arguments) if op.is_function() => {
            out.push_str(op.name());
            out.push('(');
            separated(arguments, ", ", SUM, out);
            out.push(')');
        }
        Kind::Call(op, arguments) => {
            let power = match op {
                Op::Or => OR,
                Op::And => AND,
                Op::Add => SUM,
                Op::Subtract if arguments.len() == 2 => SUM,
                Op::Subtract => PRODUCT + 1,
                Op::Multiply | Op::Divide => PRODUCT,
                _ => TEST,
            };
            if power < floor {
                out.push('(');
            }
            call(*op, power, arguments, out);
            if power < floor {
                out.push(')');
            }
        }
    }
}

fn call(op: Op, power: u8, arguments: &[Expr], out: &mut String) {
    let word = format!(" {} ", op.name());
    match (op, arguments) {
        (Op::Not, [inner]) => {
            out.push_str("not ");
            put(inner, TEST, out);
        }
        (Op::Subtract, [inner]) => {
            out.push('-');
            put(inner, power, out);
        }
        (Op::Between, [it, low, high]) => {
            put(it, SUM, out);
            out.push_str(&word);
            put(low, SUM, out);
            out.push_str(" and ");
            put(high, SUM, out);
        }
        (Op::Any | Op::All, [it, list]) => {
            put(it, SUM, out);
            out.push_str(" has");
            out.push_str(&word);
            put(list, SUM, out);
        }
        // The first argument may hold as strongly as the operator, the others must hold more.
        (_, [first, rest @ ..]) => {
            put(first, if power == TEST { SUM } else { power }, out);
            out.push_str(&word);
            separated(rest, &word, power + 1, out);
        }
        (_, []) => {}
    }
}

fn separated(all: &[Expr], separator: &str, floor: u8, out: &mut String) {
    for (i, one) in all.iter().enumerate() {
        if i > 0 {
            out.push_str(separator);
        }
        put(one, floor, out);
    }
}

fn name(name: &str, is_field: bool, out: &mut String) {
    let is_word = name.bytes().all(is_name) && !name.is_empty();
    let is_taken = is_field && KEYWORDS.contains(&name);
    let is_bare = is_word && !is_taken && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_bare {
        out.push_str(name);
    } else {
        out.push('`');
        out.push_str(&name.replace('`', "``"));
        out.push('`');
    }
}

fn number(x: f64, out: &mut String) {
    let is_plain = x == 0.0 || (1e-6..1e21).contains(&x.abs());
    out.push_str(&if is_plain { format!("{x}") } else { format!("{x:e}") });
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\0'..='\x1f' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

pub(super) fn json(expr: &Expr) -> String {
    let mut out = String::new();
    put_json(expr, &mut out);
    out
}

fn put_json(expr: &Expr, out: &mut String) {
    match &expr.kind {
        Kind::Flag(it) => out.push_str(if *it { "true" } else { "false" }),
        Kind::Number(x) => number(*x, out),
        Kind::Text(it) => string(it, out),
        Kind::List(all) => list(all, out),
        Kind::Field(it) => member("field", out, |out| string(it, out)),
        Kind::Param(it) => member("param", out, |out| string(it, out)),
        Kind::Call(op, arguments) => member(op.name(), out, |out| match &arguments[..] {
            [one] if !matches!(one.kind, Kind::List(_)) => put_json(one, out),
            all => list(all, out),
        }),
    }
}

fn member(name: &str, out: &mut String, value: impl FnOnce(&mut String)) {
    out.push('{');
    string(name, out);
    out.push(':');
    value(out);
    out.push('}');
}

fn list(all: &[Expr], out: &mut String) {
    out.push('[');
    for (i, one) in all.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        put_json(one, out);
    }
    out.push(']');
}
