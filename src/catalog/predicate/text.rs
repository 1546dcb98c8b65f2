//! The spelling for people, by recursive descent with binding powers.

use super::expr::{Expr, Kind, Op, expected_name, fault};
use super::lex::{Lexer, Token};
use crate::error::{Result, quoted};

/// Words that are no names where they stand bare.
pub(super) const KEYWORDS: [&str; 10] =
    ["and", "or", "not", "between", "in", "has", "any", "all", "true", "false"];

/// How strongly operators hold what stands beside them.
pub(super) const OR: u8 = 1;
pub(super) const AND: u8 = 2;
/// Comparisons and tests. They do not chain: `a < b < c` is an error.
pub(super) const TEST: u8 = 3;
pub(super) const SUM: u8 = 4;
pub(super) const PRODUCT: u8 = 5;

pub(super) fn read(program: &str, limit: usize) -> Result<Expr> {
    let mut lexer = Lexer::new(program, limit, 0)?;
    let expr = expression(&mut lexer, OR)?;
    match lexer.token {
        // Written as JSON it would begin with what only text begins with.
        Token::End if matches!(expr.kind, Kind::List(_)) => {
            Err(fault(expr.position, "a condition or a number", "a list"))
        }
        Token::End => Ok(expr),
        _ => lexer.fail("an operator, \"and\", \"or\" or the end"),
    }
}

/// The operator that the next token is, if it is one.
fn operator(token: &Token<'_>) -> Option<(Op, u8)> {
    let (Token::Word(name) | Token::Symbol(name)) = token else { return None };
    // `not` is the beginning of `not in`.
    let op = if *name == "not" { Op::In } else { Op::from_name(name)? };
    let power = match op {
        Op::Or => OR,
        Op::And => AND,
        Op::Equal | Op::NotEqual | Op::Less | Op::LessOrEqual | Op::Greater => TEST,
        Op::GreaterOrEqual | Op::Between | Op::In | Op::Has => TEST,
        Op::Add | Op::Subtract => SUM,
        Op::Multiply | Op::Divide => PRODUCT,
        _ => return None,
    };
    Some((op, power))
}

/// An expression of operators that hold at least as strongly as `floor`.
fn expression(lexer: &mut Lexer<'_>, floor: u8) -> Result<Expr> {
    let position = lexer.position();
    // `not` took all that it reaches over: `not a == b` is no left side of `== c`.
    let mut ceiling = if lexer.token == Token::Word("not") { AND } else { PRODUCT };
    let mut left = operand(lexer)?;
    while let Some((op, power)) = operator(&lexer.token) {
        if power < floor || power > ceiling {
            break;
        }
        let is_negated = lexer.take("not")?;
        if is_negated && lexer.token != Token::Word("in") {
            return lexer.fail("\"in\"");
        }
        lexer.advance()?;
        left = match op {
            Op::Between => {
                let low = expression(lexer, SUM)?;
                if !lexer.take("and")? {
                    return lexer.fail("\"and\" and the upper end");
                }
                Expr::call(position, op, vec![left, low, expression(lexer, SUM)?])?
            }
            Op::Has => {
                let op = match lexer.token {
                    Token::Word("any") => Op::Any,
                    Token::Word("all") => Op::All,
                    _ => Op::Has,
                };
                if op != Op::Has {
                    lexer.advance()?;
                }
                Expr::call(position, op, vec![left, expression(lexer, SUM)?])?
            }
            _ => {
                let right = expression(lexer, power + 1)?;
                Expr::call(position, op, vec![left, right])?
            }
        };
        if is_negated {
            left = Expr::call(position, Op::Not, vec![left])?;
        }
        if power == TEST {
            ceiling = AND;
        }
    }
    Ok(left)
}

/// What operators stand between.
#[inline(never)]
fn operand(lexer: &mut Lexer<'_>) -> Result<Expr> {
    let position = lexer.position();
    if let Some(literal) = lexer.literal()? {
        return Ok(literal);
    }
    let prefix = match lexer.token {
        Token::Word("not") => Some((Op::Not, TEST)),
        Token::Symbol("-") => Some((Op::Subtract, PRODUCT + 1)),
        _ => None,
    };
    if let Some((op, power)) = prefix {
        lexer.advance()?;
        let inner = lexer.inside(|lexer| expression(lexer, power))?;
        return Expr::call(position, op, vec![inner]);
    }
    if lexer.take("(")? {
        let inner = lexer.inside(|lexer| expression(lexer, OR))?;
        lexer.need(")")?;
        return Ok(inner);
    }
    if lexer.take("[")? {
        return Expr::list(position, lexer.list("]", |lexer| expression(lexer, SUM))?);
    }
    if lexer.take("$")? {
        return match name(lexer)? {
            Some(name) => Ok(Expr::param(position, name)),
            None => lexer.fail("a parameter's name"),
        };
    }
    if let Token::Word(word) = lexer.token
        && !KEYWORDS.contains(&word)
    {
        lexer.advance()?;
        if !lexer.take("(")? {
            return Ok(Expr::field(position, word.to_owned()));
        }
        let Some(op) = Op::function(word) else {
            let known: Vec<&str> = Op::functions().collect();
            return Err(fault(position, expected_name("a function", word, &known), quoted(word)));
        };
        return Expr::call(position, op, lexer.list(")", |lexer| expression(lexer, SUM))?);
    }
    match name(lexer)? {
        Some(name) => Ok(Expr::field(position, name)),
        None => lexer.fail("a column, a literal, a function, \"not\" or \"(\""),
    }
}

/// A name, bare or between backquotes, if one comes next.
fn name(lexer: &mut Lexer<'_>) -> Result<Option<String>> {
    let name = match &mut lexer.token {
        Token::Word(word) => (*word).to_owned(),
        Token::Name(name) => std::mem::take(name),
        _ => return Ok(None),
    };
    lexer.advance()?;
    Ok(Some(name))
}
