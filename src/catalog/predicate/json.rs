//! The spelling for programs: JSON with one rule. A call is an object with one member, whose name
//! is the operation and whose value is the list of arguments (or the argument, if there is one);
//! columns are `{"field": "year"}`, parameters `{"param": "from"}`; everything else is itself.

use super::expr::{Expr, OPS, Op, expected_name, fault};
use super::lex::{Lexer, Token};
use crate::error::{Result, quoted};

/// Where positions of parameters begin.
pub(super) const PARAMS: usize = 1 << 24;

pub(super) fn read(program: &str, limit: usize) -> Result<Expr> {
    let mut lexer = Lexer::new(program, limit, 0)?;
    let expr = value(&mut lexer)?;
    end(&lexer)?;
    Ok(expr)
}

fn end(lexer: &Lexer<'_>) -> Result<()> {
    match lexer.token {
        Token::End => Ok(()),
        _ => lexer.fail("the end"),
    }
}

#[inline(never)]
fn value(lexer: &mut Lexer<'_>) -> Result<Expr> {
    let position = lexer.position();
    if let Some(literal) = lexer.literal()? {
        return Ok(literal);
    }
    if lexer.take("-")? {
        return match lexer.token {
            Token::Number(x) => {
                lexer.advance()?;
                Ok(Expr::number(position, -x))
            }
            _ => lexer.fail("a number"),
        };
    }
    if lexer.take("[")? {
        return Expr::list(position, lexer.list("]", value)?);
    }
    if !lexer.take("{")? {
        return lexer.fail("an object, a list or a literal");
    }
    let position = lexer.position();
    let key = member(lexer)?;
    let expr = if key == "field" || key == "param" {
        let Token::Text(name) = &mut lexer.token else { return lexer.fail("a string") };
        let name = std::mem::take(name);
        lexer.advance()?;
        if key == "field" { Expr::field(position, name) } else { Expr::param(position, name) }
    } else {
        let Some(op) = Op::from_name(&key) else {
            let mut known = vec!["field", "param"];
            known.extend(OPS.iter().map(|op| op.1));
            return Err(fault(
                position,
                expected_name("an operation", &key, &known),
                quoted(&key),
            ));
        };
        let arguments =
            if lexer.take("[")? { lexer.list("]", value)? } else { vec![lexer.inside(value)?] };
        Expr::call(position, op, arguments)?
    };
    lexer.need("}")?;
    Ok(expr)
}

/// The name of a member, and the colon behind it.
pub(in crate::catalog) fn member(lexer: &mut Lexer<'_>) -> Result<String> {
    let Token::Text(key) = &mut lexer.token else { return lexer.fail("a string and a colon") };
    let key = std::mem::take(key);
    lexer.advance()?;
    lexer.need(":")?;
    Ok(key)
}

/// Parameters: an object whose members are literals, or lists of them.
///
/// Their positions begin where no program's reaches, so that an error can tell which of the two
/// texts it is about.
pub(super) fn params(text: &str, limit: usize) -> Result<Vec<(String, Expr)>> {
    let mut lexer = Lexer::new(text, limit, PARAMS)?;
    let mut params = Vec::new();
    lexer.need("{")?;
    if !lexer.take("}")? {
        loop {
            let name = member(&mut lexer)?;
            let value = value(&mut lexer)?;
            if value.is_literal() {
                params.push((name, value));
            } else {
                let expected = "a string, a number, true, false or a list of these";
                return Err(fault(PARAMS, expected, "an object"));
            }
            if lexer.take("}")? {
                break;
            }
            lexer.need(",")?;
        }
    }
    end(&lexer)?;
    Ok(params)
}
