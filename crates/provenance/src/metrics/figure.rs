use serde_json::{Value, json};

/// A figure of times: the samples behind it, sorted. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figure {
    /// Seconds, from small to large.
    pub samples: Vec<Sample>,
    /// Samples that were left out because their time runs backwards.
    pub backwards: Vec<Sample>,
}

/// One sample: how long, and of what. Plain data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sample {
    /// Seconds.
    pub seconds: i64,
    /// A commit, or a place in the log.
    pub of: String,
}

impl Figure {
    pub(super) fn add(&mut self, of: String, seconds: i64) {
        let list = if seconds < 0 { &mut self.backwards } else { &mut self.samples };
        list.push(Sample { seconds, of });
    }

    pub(super) fn sort(&mut self) {
        self.samples.sort_unstable();
        self.backwards.sort_unstable();
    }

    /// The value in seconds below or at which `percent` of the samples lie, by nearest rank; nothing if there is no sample or the
    /// percentage is not from 1 to 100.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<&Sample> {
        if !(1..=100).contains(&percent) {
            return None;
        }
        let rank = (self.samples.len() * usize::from(percent)).div_ceil(100);
        self.samples.get(rank.checked_sub(1)?)
    }

    pub(super) fn to_value(&self, samples: bool) -> Value {
        let list = |list: &[Sample]| -> Vec<Value> {
            list.iter().map(|sample| json!([sample.of, sample.seconds])).collect()
        };
        let point = |percent| {
            self.percentile(percent).map(|sample| json!({"seconds": sample.seconds, "of": sample.of}))
        };
        let mut value = json!({
            "method": "nearest rank",
            "n": self.samples.len(),
            "p50": point(50),
            "p90": point(90),
            "leftOutBackwards": list(&self.backwards),
        });
        if samples && let Value::Object(object) = &mut value {
            object.insert("samples".to_owned(), Value::Array(list(&self.samples)));
        }
        value
    }
}

/// How many of how many, or how many in a time. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rate {
    /// The places in the log of what is counted.
    pub counted: Vec<u64>,
    /// The places of the others.
    pub others: Vec<u64>,
    /// The places of what says nothing either way and was left out.
    pub unknown: Vec<u64>,
    /// The seconds over which it is counted, for frequencies.
    pub per: Option<u64>,
}

impl Rate {
    pub(super) fn add(&mut self, index: u64, counts: Option<bool>) {
        match counts {
            Some(true) => self.counted.push(index),
            Some(false) => self.others.push(index),
            None => self.unknown.push(index),
        }
    }

    /// How many by how many, in thousandths; per day for frequencies. Nothing if there is nothing to count by.
    #[must_use]
    pub fn per_mille(&self) -> Option<u64> {
        let counted = u64::try_from(self.counted.len()).ok()?;
        match self.per {
            Some(seconds) if counted > 0 => Some((counted * 86_400_000 + seconds / 2) / seconds),
            Some(_) => None,
            None => {
                let all = counted + u64::try_from(self.others.len()).ok()?;
                (all > 0).then(|| (counted * 1000 + all / 2) / all)
            }
        }
    }

    pub(super) fn to_value(&self, samples: bool) -> Value {
        let mut value = json!({
            "n": self.counted.len() + self.others.len(),
            "counted": self.counted.len(),
            "unknown": self.unknown.len(),
            "perMille": self.per_mille(),
        });
        if let Value::Object(object) = &mut value {
            object.extend(self.per.map(|seconds| ("seconds".to_owned(), json!(seconds))));
            if samples {
                object.insert("entries".to_owned(), json!(self.counted));
                object.insert("otherEntries".to_owned(), json!(self.others));
            }
        }
        value
    }
}
