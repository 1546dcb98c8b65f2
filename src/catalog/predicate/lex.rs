//! Text to tokens, one at a time. Both spellings of the language are read from these: their
//! strings and numbers are the same.

use super::decimal;
use super::expr::{Expr, fault};
use crate::error::{Number, Result, quoted};

/// A piece of a program.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::catalog) enum Token<'a> {
    /// A bare word: a keyword or a name.
    Word(&'a str),
    /// A name between backquotes, never a keyword.
    Name(String),
    Text(String),
    /// Never negative: the sign is a symbol.
    Number(f64),
    Symbol(&'static str),
    End,
}

/// Longer ones first: `<=` is not `<` and `=`.
const SYMBOLS: [&str; 19] = [
    "==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", "+", "-", "*", "/", "$", "{", "}",
    ":",
];

/// A program's text and the token it stands at.
pub(in crate::catalog) struct Lexer<'a> {
    text: &'a str,
    /// Where the token begins and ends, in bytes.
    start: usize,
    end: usize,
    pub(in crate::catalog) token: Token<'a>,
    /// How many parentheses, brackets, braces and prefixes stand open.
    open: usize,
    /// Added to every position.
    base: usize,
}

/// Deepest nesting of what can stand open. A tree has at most half of it, which leaves room for
/// the parentheses that it takes to write one down.
const MAX_OPEN: usize = 2 * super::MAX_DEPTH;

impl<'a> Lexer<'a> {
    /// Stands at the first token of `text`, of at most `limit` bytes. Positions count from `base`.
    pub(in crate::catalog) fn new(text: &'a str, limit: usize, base: usize) -> Result<Self> {
        let mut lexer = Self { text, start: 0, end: 0, token: Token::End, open: 0, base };
        if text.len() > limit {
            let found = format!("{} bytes", text.len());
            return Err(fault(base, format!("at most {limit} bytes"), found));
        }
        lexer.advance()?;
        Ok(lexer)
    }

    /// Where the token begins, in characters. Counted when it is asked for: only errors and
    /// names that may be wrong need it.
    #[inline(never)]
    pub(in crate::catalog) fn position(&self) -> usize {
        let before = self.text.as_bytes().iter().take(self.start);
        // Every character has one byte that continues no other.
        self.base + before.filter(|byte| **byte & 0xC0 != 0x80).count()
    }

    /// Where the token begins, in bytes.
    pub(in crate::catalog) const fn start(&self) -> usize {
        self.start
    }

    /// Where it ends.
    pub(in crate::catalog) const fn end(&self) -> usize {
        self.end
    }

    /// The text between two such places.
    pub(in crate::catalog) fn between(&self, start: usize, end: usize) -> &'a str {
        self.piece(start, end)
    }

    /// A part of the text between borders of characters. (Not by slicing, which panics elsewhere:
    /// the panic's message would bring tables of printable characters.)
    fn piece(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or("")
    }

    #[cold]
    #[inline(never)]
    pub(in crate::catalog) fn fail<T>(&self, expected: &str) -> Result<T> {
        let found = match &self.token {
            Token::Word(word) => quoted(word),
            Token::Name(name) => format!("the name {}", quoted(name)),
            Token::Text(text) => format!("the string {}", quoted(text)),
            Token::Number(x) => format!("the number {}", Number(*x)),
            Token::Symbol(symbol) => quoted(symbol),
            Token::End => "the end".into(),
        };
        Err(fault(self.position(), expected, found))
    }

    /// Takes a word or symbol, if it is the next token.
    #[inline(never)]
    pub(in crate::catalog) fn take(&mut self, what: &str) -> Result<bool> {
        let found = matches!(&self.token, Token::Word(t) | Token::Symbol(t) if *t == what);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Takes a symbol that must come now.
    pub(in crate::catalog) fn need(&mut self, symbol: &str) -> Result<()> {
        if self.take(symbol)? { Ok(()) } else { self.fail(&quoted(symbol)) }
    }

    /// What `read` reads inside something that is open meanwhile.
    pub(in crate::catalog) fn inside<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        if self.open == MAX_OPEN {
            return self.fail("at most 64 levels of nesting");
        }
        self.open += 1;
        let inner = read(self)?;
        self.open -= 1;
        Ok(inner)
    }

    /// Expressions with commas between them, up to and with `close`.
    pub(in crate::catalog) fn list(
        &mut self,
        close: &'static str,
        one: fn(&mut Self) -> Result<Expr>,
    ) -> Result<Vec<Expr>> {
        let mut all = Vec::new();
        if self.take(close)? {
            return Ok(all);
        }
        loop {
            all.push(self.inside(one)?);
            if self.take(close)? {
                return Ok(all);
            }
            if !self.take(",")? {
                return self.fail(&format!("\",\" or \"{close}\""));
            }
        }
    }

    /// A literal, if the next token is one. `-` belongs to a number where it stands before it.
    pub(in crate::catalog) fn literal(&mut self) -> Result<Option<Expr>> {
        let position = self.position();
        let literal = match &self.token {
            Token::Text(text) => Expr::text(position, text.clone()),
            Token::Number(x) => Expr::number(position, *x),
            Token::Word("true") => Expr::flag(position, true),
            Token::Word("false") => Expr::flag(position, false),
            _ => return Ok(None),
        };
        self.advance()?;
        Ok(Some(literal))
    }

    /// Goes to the next token; the end stays.
    #[inline(never)]
    pub(in crate::catalog) fn advance(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        let mut at = self.end;
        while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        (self.start, self.end) = (at, at);
        // The end of the run of bytes from `from` that satisfy a test.
        let run = |from: usize, belongs: fn(u8) -> bool| {
            bytes[from..].iter().position(|b| !belongs(*b)).map_or(bytes.len(), |n| from + n)
        };
        self.token = match bytes.get(at) {
            None => Token::End,
            Some(b'"') => {
                self.end = end_of_quoted(bytes, at);
                match unescape(self.piece(at, self.end)) {
                    Some(text) => Token::Text(text),
                    None => return self.wrong("a string in double quotes with JSON's escapes"),
                }
            }
            Some(b'`') => match name(self.text, at + 1) {
                Some((name, end)) => {
                    self.end = end;
                    Token::Name(name)
                }
                None => {
                    self.end = bytes.len();
                    return self.wrong("a name between backquotes");
                }
            },
            Some(b'0'..=b'9' | b'.') => {
                self.end = run(at, |b| b.is_ascii_alphanumeric() || b == b'.');
                // A sign belongs to it behind the `e` of an exponent.
                if matches!(bytes[self.end - 1], b'e' | b'E')
                    && matches!(bytes.get(self.end), Some(b'-' | b'+'))
                {
                    self.end = run(self.end + 1, |b| b.is_ascii_alphanumeric());
                }
                match decimal::parse(&bytes[at..self.end]) {
                    Some(x) => Token::Number(x),
                    None => return self.wrong("a decimal number"),
                }
            }
            Some(b) if is_name(*b) => {
                self.end = run(at, is_name);
                Token::Word(self.piece(at, self.end))
            }
            Some(_) => match SYMBOLS.iter().find(|s| bytes[at..].starts_with(s.as_bytes())) {
                Some(symbol) => {
                    self.end = at + symbol.len();
                    Token::Symbol(symbol)
                }
                None => {
                    self.end = at + 1;
                    return self.wrong("a name, a literal or an operator");
                }
            },
        };
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn wrong(&self, expected: &str) -> Result<()> {
        Err(fault(self.position(), expected, quoted(self.piece(self.start, self.end))))
    }
}

/// Letters, digits and `_`; of what is not ASCII, everything (a test for letters would need a
/// table of Unicode).
pub(in crate::catalog) const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// The position behind the closing quote, or the end of the text.
fn end_of_quoted(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The name that begins at `at`, up to its closing backquote, and the position behind that; two
/// backquotes stand for one.
fn name(text: &str, mut at: usize) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    let mut name = String::new();
    loop {
        let start = at;
        while *bytes.get(at)? != b'`' {
            at += 1;
        }
        name.push_str(text.get(start..at)?);
        at += 1;
        if bytes.get(at) != Some(&b'`') {
            return Some((name, at));
        }
        name.push('`');
        at += 1;
    }
}

/// A JSON string, quotes included, to its text.
fn unescape(quoted: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = quoted.strip_prefix('"')?.strip_suffix('"')?.chars();
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
