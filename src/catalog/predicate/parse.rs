//! Text to syntax tree, by recursive descent.

use crate::error::{Error, Number, Result, quoted};

/// Longest expression, in bytes.
const MAX_LENGTH: usize = 10_000;
/// Deepest nesting of parentheses and `not`.
const MAX_DEPTH: usize = 64;

/// A name or literal with the position of its first character.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct At<T> {
    pub(super) position: usize,
    pub(super) it: T,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Number(f64),
    Flag(bool),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Compare(Comparison, At<Literal>),
    Between(At<Literal>, At<Literal>),
    In(Vec<At<Literal>>),
    HasAny(Vec<At<Literal>>),
    HasAll(Vec<At<Literal>>),
    Exists,
    IsTrue,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Syntax {
    And(Vec<Syntax>),
    Or(Vec<Syntax>),
    Not(Box<Syntax>),
    Test(At<String>, Test),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A bare word: a keyword or a name.
    Word(String),
    /// A name between backquotes, never a keyword.
    Name(String),
    Text(String),
    Number(f64),
    Symbol(&'static str),
    End,
}

impl Token {
    fn describe(&self) -> String {
        match self {
            Self::Word(word) => quoted(word),
            Self::Name(name) => format!("the name {}", quoted(name)),
            Self::Text(text) => format!("the string {}", quoted(text)),
            Self::Number(x) => format!("the number {}", Number(*x)),
            Self::Symbol(symbol) => quoted(symbol),
            Self::End => "the end".into(),
        }
    }
}

#[cold]
#[inline(never)]
fn wrong<T>(position: usize, expected: impl Into<String>, found: impl Into<String>) -> Result<T> {
    Err(Error::Filter { position, expected: expected.into(), found: found.into() })
}

/// Words that are not names unless they stand between backquotes.
const KEYWORDS: [&str; 11] =
    ["and", "or", "not", "in", "has", "any", "all", "between", "exists", "true", "false"];
/// Longer symbols first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 11] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ","];

pub(super) fn parse(text: &str) -> Result<Syntax> {
    if text.len() > MAX_LENGTH {
        let expected = format!("at most {MAX_LENGTH} bytes");
        return wrong(0, expected, format!("an expression of {}", text.len()));
    }
    let mut parser = Parser { tokens: lex(text)?, next: 0, depth: 0 };
    let syntax = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(syntax),
        _ => parser.fail("\"and\", \"or\" or the end"),
    }
}

fn lex(text: &str) -> Result<Vec<At<Token>>> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    let run = |from: usize, belongs: fn(char) -> bool| {
        chars[from..].iter().position(|c| !belongs(*c)).map_or(chars.len(), |n| from + n)
    };
    while at < chars.len() {
        let start = at;
        let c = chars[at];
        let token = if matches!(c, ' ' | '\t' | '\n' | '\r') {
            at += 1;
            continue;
        } else if c == '"' {
            at = end_of_quoted(&chars, start, '"')?;
            let quoted: String = chars[start..at].iter().collect();
            match unescape(&quoted) {
                Some(text) => Token::Text(text),
                None => return wrong(start, "a string with JSON's escapes", quoted),
            }
        } else if c == '`' {
            at = end_of_quoted(&chars, start, '`')?;
            Token::Name(chars[start + 1..at - 1].iter().collect())
        } else if c.is_ascii_digit() || matches!(c, '-' | '.') {
            at = run(at + 1, |c| c.is_ascii_alphanumeric() || c == '.');
            let number: String = chars[start..at].iter().collect();
            match parse_number(&number) {
                Some(x) => Token::Number(x),
                None => {
                    let expected =
                        "a number of at most 15 digits, and at most 22 behind the point";
                    return wrong(start, expected, quoted(&number));
                }
            }
        } else if is_name(c) {
            at = run(at, is_name);
            Token::Word(chars[start..at].iter().collect())
        } else if let Some(symbol) =
            SYMBOLS.iter().find(|s| s.chars().eq(chars[at..].iter().take(s.len()).copied()))
        {
            at += symbol.len();
            Token::Symbol(symbol)
        } else {
            return wrong(
                start,
                "a name, a literal or an operator",
                quoted(c.encode_utf8(&mut [0; 4])),
            );
        };
        tokens.push(At { position: start, it: token });
    }
    tokens.push(At { position: chars.len(), it: Token::End });
    Ok(tokens)
}

/// Letters, digits and `_`; of what is not ASCII, everything (a test for letters would need a
/// table of Unicode).
fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()
}

/// A decimal number without exponent: `-12.5`.
///
/// With at most 15 digits and 22 places both the digits and the power of ten are exact in f64, so
/// one division rounds once, correctly (Clinger, PLDI 1990). Longer numbers would need the tables
/// of a general parser, 10 kB that do not compress, for digits that no column holds.
fn parse_number(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && places.is_empty() || places.len() > 22 {
        return None;
    }
    let mut mantissa = 0u64;
    for digit in whole.bytes().chain(places.bytes()) {
        mantissa = mantissa * 10 + u64::from(digit.is_ascii_digit().then(|| digit - b'0')?);
        if mantissa >= 1_000_000_000_000_000 {
            return None;
        }
    }
    let tens = places.bytes().fold(1.0, |tens, _| tens * 10.0);
    let x = mantissa as f64 / tens;
    Some(if negative { -x } else { x })
}

/// The position behind the closing quote.
fn end_of_quoted(chars: &[char], start: usize, quote: char) -> Result<usize> {
    let mut at = start + 1;
    while let Some(c) = chars.get(at) {
        match c {
            '\\' if quote == '"' => at += 2,
            c if *c == quote => return Ok(at + 1),
            _ => at += 1,
        }
    }
    wrong(start, format!("a closing {quote}"), "the end")
}

/// A JSON string, quotes included, to its text.
fn unescape(quoted: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = quoted.get(1..quoted.len() - 1)?.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        text.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'u' => {
                let unit = hex4(&mut chars)?;
                let code = if (0xD800..0xDC00).contains(&unit) {
                    // A surrogate pair; a lone surrogate is no character and is refused.
                    let low = (chars.next()? == '\\' && chars.next()? == 'u')
                        .then(|| hex4(&mut chars))??;
                    let low = low.checked_sub(0xDC00).filter(|l| *l < 0x400)?;
                    0x10000 + ((unit - 0xD800) << 10) + low
                } else {
                    unit
                };
                char::from_u32(code)?
            }
            c @ ('"' | '\\' | '/') => c,
            _ => return None,
        });
    }
    Some(text)
}

fn hex4(chars: &mut std::str::Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |unit, _| Some(unit * 16 + chars.next()?.to_digit(16)?))
}

struct Parser {
    tokens: Vec<At<Token>>,
    next: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].it
    }

    fn position(&self) -> usize {
        self.tokens[self.next].position
    }

    #[inline(never)]
    fn fail<T>(&self, expected: &str) -> Result<T> {
        wrong(self.position(), expected, self.peek().describe())
    }

    /// Takes the next token; the end stays.
    fn advance(&mut self) {
        self.next = (self.next + 1).min(self.tokens.len() - 1);
    }

    #[inline(never)]
    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(w) if w == word);
        if found {
            self.advance();
        }
        found
    }

    #[inline(never)]
    fn take_symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(s) if *s == symbol);
        if found {
            self.advance();
        }
        found
    }

    fn need_symbol(&mut self, symbol: &str) -> Result<()> {
        if self.take_symbol(symbol) { Ok(()) } else { self.fail(&quoted(symbol)) }
    }

    fn expression(&mut self) -> Result<Syntax> {
        let mut terms = vec![self.term()?];
        while self.take_word("or") {
            terms.push(self.term()?);
        }
        Ok(if terms.len() == 1 { terms.remove(0) } else { Syntax::Or(terms) })
    }

    fn term(&mut self) -> Result<Syntax> {
        let mut factors = vec![self.factor()?];
        while self.take_word("and") {
            factors.push(self.factor()?);
        }
        Ok(if factors.len() == 1 { factors.remove(0) } else { Syntax::And(factors) })
    }

    fn factor(&mut self) -> Result<Syntax> {
        if self.depth == MAX_DEPTH {
            return self.fail("at most 64 levels of nesting");
        }
        self.depth += 1;
        let syntax = if self.take_word("not") {
            Syntax::Not(Box::new(self.factor()?))
        } else if self.take_symbol("(") {
            let inner = self.expression()?;
            self.need_symbol(")")?;
            inner
        } else {
            self.test()?
        };
        self.depth -= 1;
        Ok(syntax)
    }

    #[inline(never)]
    fn name(&mut self) -> Result<At<String>> {
        let position = self.position();
        let name = match self.peek() {
            Token::Word(word) if !KEYWORDS.contains(&word.as_str()) => word.clone(),
            Token::Name(name) => name.clone(),
            _ => return self.fail("a column's name"),
        };
        self.advance();
        Ok(At { position, it: name })
    }

    #[inline(never)]
    fn literal(&mut self) -> Result<At<Literal>> {
        let position = self.position();
        let it = match self.peek() {
            Token::Text(text) => Literal::Text(text.clone()),
            Token::Number(x) => Literal::Number(*x),
            Token::Word(word) if word == "true" => Literal::Flag(true),
            Token::Word(word) if word == "false" => Literal::Flag(false),
            _ => return self.fail("a string, a number, true or false"),
        };
        self.advance();
        Ok(At { position, it })
    }

    #[inline(never)]
    fn list(&mut self) -> Result<Vec<At<Literal>>> {
        self.need_symbol("[")?;
        let mut literals = Vec::new();
        if self.take_symbol("]") {
            return Ok(literals);
        }
        loop {
            literals.push(self.literal()?);
            if self.take_symbol("]") {
                return Ok(literals);
            }
            if !self.take_symbol(",") {
                return self.fail("\",\" or \"]\"");
            }
        }
    }

    fn test(&mut self) -> Result<Syntax> {
        if self.take_word("exists") {
            self.need_symbol("(")?;
            let name = self.name()?;
            self.need_symbol(")")?;
            return Ok(Syntax::Test(name, Test::Exists));
        }
        let name = self.name()?;
        let comparison = match self.peek() {
            Token::Symbol("==") => Some(Comparison::Equal),
            Token::Symbol("!=") => Some(Comparison::NotEqual),
            Token::Symbol("<") => Some(Comparison::Less),
            Token::Symbol("<=") => Some(Comparison::LessOrEqual),
            Token::Symbol(">") => Some(Comparison::Greater),
            Token::Symbol(">=") => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        if let Some(comparison) = comparison {
            self.advance();
            return Ok(Syntax::Test(name, Test::Compare(comparison, self.literal()?)));
        }
        if self.take_word("between") {
            let low = self.literal()?;
            if !self.take_word("and") {
                return self.fail("\"and\" and the upper end");
            }
            return Ok(Syntax::Test(name, Test::Between(low, self.literal()?)));
        }
        if self.take_word("in") {
            return Ok(Syntax::Test(name, Test::In(self.list()?)));
        }
        if self.take_word("not") {
            if !self.take_word("in") {
                return self.fail("\"in\"");
            }
            let list = self.list()?;
            return Ok(Syntax::Not(Box::new(Syntax::Test(name, Test::In(list)))));
        }
        if self.take_word("has") {
            let test = if self.take_word("any") {
                Test::HasAny(self.list()?)
            } else if self.take_word("all") {
                Test::HasAll(self.list()?)
            } else {
                Test::HasAny(vec![self.literal()?])
            };
            return Ok(Syntax::Test(name, test));
        }
        Ok(Syntax::Test(name, Test::IsTrue))
    }
}
