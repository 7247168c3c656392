use std::fmt;

/// A JSON number, printed as Go's `encoding/json` prints it: `1.0` and `1` are one number, `1e21` is `1e+21`.
#[derive(Clone, Copy, Debug)]
pub struct Number(Repr);

#[derive(Clone, Copy, Debug)]
enum Repr {
    Int(i64),
    /// Above `i64::MAX`.
    Uint(u64),
    /// Finite, and not an integer that fits `i64`.
    Float(f64),
}

impl Number {
    /// From a finite float; an integral one that fits `i64` becomes that integer. `None` for infinities and NaN.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = float_text(value);
        Some(text.parse().map_or(Self(Repr::Float(value)), |int| Self(Repr::Int(int))))
    }

    /// The integer, if it is one that fits `i64`.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Repr::Int(int) => Some(int),
            Repr::Uint(_) | Repr::Float(_) => None,
        }
    }

    /// The integer, if it is one that fits `u64`.
    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self.0 {
            Repr::Int(int) => u64::try_from(int).ok(),
            Repr::Uint(uint) => Some(uint),
            Repr::Float(_) => None,
        }
    }

    /// The nearest float.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match self.0 {
            Repr::Float(float) => float,
            Repr::Int(_) | Repr::Uint(_) => self.to_string().parse().unwrap_or(f64::NAN),
        }
    }

    /// Kubernetes keeps integers of 64 bits with sign; every larger one becomes a float.
    pub(crate) fn kubernetes(self) -> Self {
        match self.0 {
            Repr::Uint(uint) => uint.to_string().parse().ok().and_then(Self::from_f64).unwrap_or(self),
            Repr::Int(_) | Repr::Float(_) => self,
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(Repr::Int(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(i64::try_from(value).map_or(Repr::Uint(value), Repr::Int))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self.0, other.0) {
            (Repr::Int(a), Repr::Int(b)) => a == b,
            (Repr::Uint(a), Repr::Uint(b)) => a == b,
            _ => self.to_string() == other.to_string(),
        }
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Int(int) => write!(f, "{int}"),
            Repr::Uint(uint) => write!(f, "{uint}"),
            Repr::Float(float) => f.write_str(&float_text(float)),
        }
    }
}

fn float_text(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}
