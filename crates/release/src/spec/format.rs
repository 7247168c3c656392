use lotse_digest::Reference;

/// What the text of a scalar must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Any text but null.
    Text,
    /// The version of the format.
    Version,
    /// A DNS label.
    Label,
    /// The name of a variable.
    Variable,
    /// An image with tag and digest.
    Image,
    /// A registry with a path, without a tag.
    Registry,
    /// A path below the application's directory.
    Path,
    /// A path in a container.
    Absolute,
    /// A quantity of CPU, memory or storage.
    Quantity,
    /// A number and `m`, `h` or `d`.
    Duration,
    /// A number of days, `30d`.
    Days,
    /// A date.
    Date,
    /// Five fields of cron.
    Cron,
    /// A DNS name.
    Host,
    /// An address block.
    Cidr,
    /// An https URL.
    Url,
    /// Percent below 100 with up to four decimals.
    Percent,
    /// A port from 1024 to 65535: ours.
    Port,
    /// A port from 1 to 65535: somebody else's.
    AnyPort,
    /// A number from 0 to 1000.
    Count,
    /// `uid:gid`, neither 0.
    User,
    /// A component or outside, with `:port` if it has several.
    Target,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

impl Format {
    /// The form in words, with an example.
    pub(super) fn wanted(self) -> String {
        let text = match self {
            Self::Text => "a text",
            Self::Version => "v1, the only version this build reads",
            Self::Label => "lower-case letters, digits and dashes, at most 40, such as web-1",
            Self::Variable => "the name of a variable, such as APP_KEY",
            Self::Image => {
                "an image with tag and digest, such as redis:8.2@sha256:…; `skopeo inspect` shows the digest"
            }
            Self::Registry => "a registry with a path, such as registry.example/team",
            Self::Path => "a path below the application's directory, without .. and not in .git",
            Self::Absolute => "an absolute path, such as /var/cache",
            Self::Quantity => "a quantity: 100m or 2 for CPU, 128Mi or 1Gi for memory and storage",
            Self::Duration => "a number with m, h or d, such as 90d",
            Self::Days => "a number of days, such as 30d",
            Self::Date => "a date, such as 2027-03-31",
            Self::Cron => {
                "five fields of cron in quotes, such as \"*/5 * * * *\": minute, hour, day, month, weekday"
            }
            Self::Host => "a DNS name, such as app.example",
            Self::Cidr => "an address block, such as 195.201.160.143/32 or 2001:db8::/48",
            Self::Url => "a URL that begins with https://",
            Self::Percent => "percent below 100, such as 99.9",
            Self::Port => "a port from 1024 to 65535; programs that are not root get no other",
            Self::Count => "a number from 0 to 1000",
            Self::User => "user and group by number, neither 0, such as 999:999",
            Self::Target => "the name of a component or outside, with :port if it has several",
            Self::AnyPort => "a port from 1 to 65535",
            Self::OneOf(words) => return format!("one of {}", words.join(", ")),
        };
        text.to_owned()
    }

    /// The pattern for JSON Schema, where one says it.
    pub(super) const fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Label => Some("^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$"),
            Self::Variable => Some("^[A-Za-z_][A-Za-z0-9_]*$"),
            Self::Image => Some("@sha256:[0-9a-f]{64}$"),
            Self::Absolute => Some("^/"),
            Self::Duration => Some("^[1-9][0-9]{0,4}[mhd]$"),
            Self::Days => Some("^[1-9][0-9]{0,2}d$"),
            Self::Date => Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
            Self::Cron => Some("^[^ ]+( [^ ]+){4}$"),
            Self::Url => Some("^https://"),
            Self::User => Some("^[1-9][0-9]*:[1-9][0-9]*$"),
            _ => None,
        }
    }

    /// Whether the text has the form.
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Version => text == "v1",
            Self::Label => label(text, 40),
            Self::Variable => {
                let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                !text.is_empty()
                    && text.bytes().all(word)
                    && !text.starts_with(|first: char| first.is_ascii_digit())
            }
            Self::Image => text.parse::<Reference>().is_ok_and(|image| {
                image.digest().is_some() && image.tag().is_some_and(|tag| tag != "latest")
            }),
            Self::Registry => text.parse::<Reference>().is_ok_and(|registry| {
                registry.tag().is_none() && registry.digest().is_none() && registry.host().is_some()
            }),
            Self::Path => path(text),
            Self::Absolute => text.starts_with('/') && (text == "/" || path(text.trim_start_matches('/'))),
            Self::Quantity => quantity(text).is_some(),
            Self::Duration => duration(text).is_some(),
            Self::Days => text.ends_with('d') && duration(text).is_some(),
            Self::Date => text.len() == 10 && text.parse::<lotse_provenance::Timestamp>().is_ok(),
            Self::Cron => cron(text),
            Self::Host => {
                text.len() <= 253 && text.contains('.') && text.split('.').all(|part| label(part, 63))
            }
            Self::Cidr => cidr(text).is_some(),
            Self::Url => {
                text.starts_with("https://") && text.len() > 8 && !text.contains([' ', '"', '<', '>', '@'])
            }
            Self::Percent => percent(text),
            Self::Port => text.parse::<u16>().is_ok_and(|port| port >= 1024) && !text.starts_with('+'),
            Self::Count => text.parse::<u32>().is_ok_and(|count| count <= 1000) && !text.starts_with('+'),
            Self::User => user(text).is_some_and(|(user, group)| user != 0 && group != 0),
            Self::Target => {
                let (name, port) = text.split_once(':').unwrap_or((text, "x"));
                label(name, 40) && label(port, 40)
            }
            Self::AnyPort => text.parse::<u16>().is_ok_and(|port| port > 0) && !text.starts_with('+'),
            Self::OneOf(words) => words.contains(&text),
        }
    }
}

fn label(text: &str, most: usize) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty()
        && text.len() <= most
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A path below a directory: relative, plain, and not the repository's own.
fn path(text: &str) -> bool {
    let text = text.strip_suffix('/').unwrap_or(text);
    text == "."
        || text.split('/').all(|part| !matches!(part, "" | "." | ".." | ".git") && !part.contains('\\'))
}

/// A quantity in thousandths: `100m` is 100, `1` is 1000, `1Ki` is 1,024,000.
pub(super) fn quantity(text: &str) -> Option<u128> {
    let end =
        text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    let factor: u128 = match suffix {
        "m" => 1,
        "" => 1000,
        "k" => 1_000_000,
        "M" => 1_000_000_000,
        "G" => 1_000_000_000_000,
        "T" => 1_000_000_000_000_000,
        "Ki" => 1000 << 10,
        "Mi" => 1000 << 20,
        "Gi" => 1000 << 30,
        "Ti" => 1000 << 40,
        _ => return None,
    };
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || decimals.len() > 3 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let thousandths = format!("{whole}{decimals:0<3}").parse::<u128>().ok()?;
    thousandths.checked_mul(factor).map(|product| product / 1000)
}

/// Seconds of a number with `m`, `h` or `d`.
pub(super) fn duration(text: &str) -> Option<u64> {
    let unit = match text.chars().last()? {
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let number = text.get(..text.len() - 1)?;
    if number.len() > 5 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok().filter(|number| *number > 0).map(|number| number * unit)
}

fn cron(text: &str) -> bool {
    let fields: Vec<&str> = text.split(' ').collect();
    let ranges = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
    fields.len() == ranges.len()
        && fields.iter().zip(ranges).all(|(field, range)| field.split(',').all(|part| cron_part(part, range)))
}

/// `*`, `5`, `1-5`, each with `/step`.
fn cron_part(part: &str, (low, high): (u32, u32)) -> bool {
    let (range, step) = part.split_once('/').unwrap_or((part, "1"));
    let number = |text: &str| {
        text.parse::<u32>().ok().filter(|number| (low..=high).contains(number) && !text.starts_with('+'))
    };
    let range = match range.split_once('-') {
        _ if range == "*" => true,
        Some((from, to)) => number(from).zip(number(to)).is_some_and(|(from, to)| from <= to),
        None => number(range).is_some(),
    };
    range && step.parse::<u32>().is_ok_and(|step| step > 0 && step <= high)
}

/// Address and prefix length of a block without host bits.
pub(super) fn cidr(text: &str) -> Option<(std::net::IpAddr, u32)> {
    let (address, length) = text.split_once('/')?;
    let address: std::net::IpAddr = address.parse().ok()?;
    let length: u32 = length.parse().ok().filter(|_| !length.starts_with('+'))?;
    let (bits, width) = match address {
        std::net::IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        std::net::IpAddr::V6(address) => (u128::from(address), 128),
    };
    let host = width - length.min(width);
    let no_host_bits = host == 128 || bits.trailing_zeros() >= host;
    (length <= width && (no_host_bits || bits == 0)).then_some((address, length))
}

fn percent(text: &str) -> bool {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    whole.len() <= 2
        && !whole.is_empty()
        && decimals.len() <= 4
        && digits(whole)
        && digits(decimals)
        && !text.ends_with('.')
}

/// User and group of `uid:gid`.
pub(super) fn user(text: &str) -> Option<(u32, u32)> {
    let (user, group) = text.split_once(':')?;
    let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    number(user).zip(number(group))
}
