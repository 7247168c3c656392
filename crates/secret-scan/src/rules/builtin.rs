//! The table of forms, most specific first: where two matches overlap the earlier rule keeps the place.

use super::{Check, Rule};

/// A token with a fixed public prefix.
const fn token(
    id: &'static str,
    description: &'static str,
    keywords: &'static [&'static str],
    pattern: &'static str,
    reach: usize,
    public: usize,
) -> Rule {
    Rule { id, description, keywords, pattern, reach, public, entropy: 0, check: Check::None }
}

impl Rule {
    const fn checked(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    const fn entropy(mut self, tenths: u32) -> Self {
        self.entropy = tenths;
        self
    }
}

/// Base64 values with the sizes of Laravel's ciphers: AES-128 and AES-256.
const LARAVEL_KEY: Check = Check::Base64 { bytes: &[16, 32] };

pub(crate) const BUILTIN: &[Rule] = &[
    // Forges
    token("github-token", "GitHub token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], r"\b(gh[pousr]_[A-Za-z0-9]{36})\b", 42, 4)
        .checked(Check::Crc32Base62 { prefix: 4 }),
    token("github-fine-grained-token", "GitHub fine-grained token", &["github_pat_"], r"\b(github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})\b", 95, 11),
    token("gitlab-token", "GitLab token", &["glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glsoat-", "glft-", "glagent-", "glimt-", "gloas-", "glffct-"],
        r"\b(gl(?:pat|dt|rt|ptt|cbt|soat|ft|agent|imt|oas|ffct)-[A-Za-z0-9_-]{20,300}(?:\.[0-9a-z]{2}\.?[0-9a-z]{7})?)(?:[^A-Za-z0-9_-]|\z)", 330, 6).entropy(28),
    token("bitbucket-token", "Bitbucket app password or access token", &["atbb", "atct"], r"\b(AT(?:BB|CTT3xFfG)[A-Za-z0-9_=-]{24,250})(?:[^A-Za-z0-9_=-]|\z)", 270, 4).entropy(30),
    // Clouds
    token("aws-access-key-id", "AWS access key id", &["akia", "asia", "abia", "acca"], r"\b((?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b", 22, 4).entropy(27),
    token("aws-secret-access-key", "AWS secret access key", &["secret"],
        r#"(?i:secret_?access_?key|aws_?secret(?:_?key)?)["']?[\t ]{0,8}(?:=>|[:=])[\t ]{0,8}["']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|\z)"#, 100, 0).entropy(35),
    token("gcp-api-key", "Google API key", &["aiza"], r"\b(AIza[0-9A-Za-z_-]{35})(?:[^0-9A-Za-z_-]|\z)", 42, 4).entropy(30),
    token("gcp-oauth-secret", "Google OAuth client secret", &["gocspx-"], r"\b(GOCSPX-[0-9A-Za-z_-]{28})(?:[^0-9A-Za-z_-]|\z)", 38, 7).entropy(28),
    token("azure-storage-key", "Azure storage account key", &["accountkey="], r"(?i:AccountKey=)([A-Za-z0-9+/]{86}==)", 110, 0)
        .checked(Check::Base64 { bytes: &[64] }).entropy(35),
    token("azure-client-secret", "Azure application secret", &["q~"], r"(?:^|[^A-Za-z0-9_~.-])([A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})(?:[^A-Za-z0-9_~.-]|\z)", 44, 0).entropy(35),
    token("azure-devops-token", "Azure DevOps token", &["azdo"], r"\b([A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4})\b", 88, 0),
    token("azure-sas", "Azure shared access signature", &["sig="], r"(?:[?&]|&amp;)sig=([A-Za-z0-9+/%]{43,120}(?:%3[dD]|=)?)(?:[^A-Za-z0-9+/%=]|\z)", 135, 0).entropy(40),
    token("digitalocean-token", "DigitalOcean token", &["dop_v1_", "doo_v1_", "dor_v1_"], r"\b(do[opr]_v1_[a-f0-9]{64})\b", 75, 7),
    // Registries
    token("npm-token", "npm token", &["npm_"], r"\b(npm_[A-Za-z0-9]{36})\b", 44, 4).checked(Check::Crc32Base62 { prefix: 4 }),
    token("npm-auth-token", "npm registry password in .npmrc", &["_authtoken"], r"(?i::_authToken)[\t ]{0,4}=[\t ]{0,4}([0-9a-fA-F-]{36})\b", 60, 0).entropy(28),
    token("pypi-token", "PyPI token", &["pypi-ageichlwas5vcmc", "pypi-agendgvzdc5wexbp"], r"\b(pypi-AgE[A-Za-z0-9_-]{50,1000})(?:[^A-Za-z0-9_-]|\z)", 1015, 5).entropy(30),
    token("docker-token", "Docker Hub token", &["dckr_pat_", "dckr_oat_"], r"\b(dckr_[po]at_[A-Za-z0-9_-]{27,40})(?:[^A-Za-z0-9_-]|\z)", 54, 9).entropy(28),
    token("docker-auth", "registry password in a Docker configuration", &["\"auth\""], r#""auth"\s{0,16}:\s{0,16}"([A-Za-z0-9+/]{8,600}={0,2})""#, 660, 0).checked(Check::BasicAuth),
    token("crates-io-token", "crates.io token", &["cio"], r"\b(cio[A-Za-z0-9]{32})\b", 38, 3).entropy(35).checked(Check::Mixed),
    token("rubygems-token", "RubyGems token", &["rubygems_"], r"\b(rubygems_[a-f0-9]{48})\b", 60, 9),
    token("nuget-token", "NuGet token", &["oy2"], r"\b(oy2[a-z0-9]{43})\b", 48, 3).entropy(35).checked(Check::Mixed),
    // Services
    token("slack-token", "Slack token", &["xoxb-", "xoxp-", "xoxa-", "xoxe-", "xoxe.", "xoxr-", "xoxs-", "xapp-"],
        r"\b((?:xox[abeprs][.-]|xapp-)(?:[A-Za-z0-9]{1,20}[.-]){0,6}[A-Za-z0-9]{20,200})\b", 350, 5).entropy(28),
    token("slack-webhook", "Slack webhook", &["hooks.slack.com"], r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9]{5,16}/[A-Za-z0-9]{5,20}/[A-Za-z0-9]{20,64})\b", 130, 1).entropy(30),
    token("discord-webhook", "Discord webhook", &["/api/webhooks/"], r"discord(?:app)?\.com/api/webhooks/[0-9]{17,20}/([A-Za-z0-9_-]{60,80})(?:[^A-Za-z0-9_-]|\z)", 140, 0).entropy(35),
    token("stripe-key", "Stripe key", &["sk_live_", "rk_live_", "sk_test_", "rk_test_"], r"\b([sr]k_(?:live|test)_[A-Za-z0-9]{16,200})\b", 212, 8).entropy(28),
    token("stripe-webhook-secret", "Stripe webhook secret", &["whsec_"], r"\b(whsec_[A-Za-z0-9+/]{32,64}=?)(?:[^A-Za-z0-9+/=]|\z)", 76, 6).entropy(30),
    token("sendgrid-key", "SendGrid key", &["sg."], r"\b(SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})(?:[^A-Za-z0-9_-]|\z)", 72, 3).entropy(30),
    token("mailgun-key", "Mailgun key", &["key-"], r"\b(key-[0-9a-f]{32})\b", 38, 4).entropy(28),
    token("mailchimp-key", "Mailchimp key", &["-us"], r"\b([0-9a-f]{32}-us[0-9]{1,2})\b", 40, 0).entropy(28),
    token("twilio-key", "Twilio key", &["sk"], r"\b(SK[0-9a-f]{32})\b", 37, 2).entropy(28),
    token("telegram-bot-token", "Telegram bot token", &[":aa"], r"\b([0-9]{8,10}:AA[A-Za-z0-9_-]{33})(?:[^A-Za-z0-9_-]|\z)", 49, 0).entropy(30),
    token("shopify-token", "Shopify token", &["shpat_", "shpca_", "shppa_", "shpss_"], r"\b(shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32})\b", 42, 6).entropy(28),
    token("square-token", "Square token", &["sq0atp-", "sq0csp-", "eaaa"], r"\b(sq0(?:atp|csp)-[0-9A-Za-z_-]{22,43}|EAAA[A-Za-z0-9_-]{60})(?:[^0-9A-Za-z_-]|\z)", 68, 4).entropy(30),
    token("newrelic-key", "New Relic key", &["nrak-"], r"\b(NRAK-[A-Z0-9]{27})\b", 36, 5).entropy(28),
    token("grafana-token", "Grafana token", &["glsa_", "glc_"], r"\b(glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400}={0,2})(?:[^A-Za-z0-9+/=_]|\z)", 412, 4).entropy(30),
    token("sentry-token", "Sentry token", &["sntrys_", "sntryu_"], r"\b(sntryu_[a-f0-9]{64}|sntrys_eyJ[A-Za-z0-9+/=_-]{60,400})(?:[^A-Za-z0-9+/=_-]|\z)", 415, 7),
    token("atlassian-token", "Atlassian API token", &["atatt3"], r"\b(ATATT3[A-Za-z0-9_=-]{180,220})(?:[^A-Za-z0-9_=-]|\z)", 230, 6),
    token("heroku-key", "Heroku key", &["hrku-"], r"\b(HRKU-[A-Za-z0-9_-]{36,64})(?:[^A-Za-z0-9_-]|\z)", 74, 5).entropy(28),
    token("doppler-token", "Doppler token", &["dp.pt.", "dp.st.", "dp.ct.", "dp.sa."], r"\b(dp\.(?:pt|ct|sa|st(?:\.[a-z0-9_-]{2,35})?)\.[A-Za-z0-9]{40,44})\b", 92, 6).entropy(30),
    token("databricks-token", "Databricks token", &["dapi"], r"\b(dapi[a-f0-9]{32}(?:-[0-9])?)\b", 42, 4).entropy(28),
    token("planetscale-token", "PlanetScale password or token", &["pscale_"], r"\b(pscale_(?:tkn|oauth|pw)_[A-Za-z0-9=._-]{32,64})(?:[^A-Za-z0-9=._-]|\z)", 80, 11).entropy(30),
    token("linear-key", "Linear key", &["lin_api_"], r"\b(lin_api_[A-Za-z0-9]{40})\b", 52, 8).entropy(30),
    // Infrastructure
    token("vault-token", "Vault token", &["hvs.", "hvb.", "hvr."], r"\b(hv[sbr]\.[A-Za-z0-9_-]{24,300})(?:[^A-Za-z0-9_-]|\z)", 310, 4).entropy(35),
    token("vault-legacy-token", "Vault token of the old form", &["vault"], r#"(?i:vault_?token)["']?[\t ]{0,8}(?:=>|[:=])[\t ]{0,8}["']?(s\.[A-Za-z0-9]{24})\b"#, 70, 2).entropy(35),
    token("terraform-cloud-token", "Terraform Cloud token", &["atlasv1"], r"\b([A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70})(?:[^A-Za-z0-9_=-]|\z)", 100, 0).entropy(35),
    token("pulumi-token", "Pulumi token", &["pul-"], r"\b(pul-[a-f0-9]{40})\b", 48, 4).entropy(28),
    token("age-key", "age secret key", &["age-secret-key-1"], r"\b(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})\b", 78, 16),
    token("jwt", "JSON Web Token", &["eyj"], r"\b(eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{20,1000})(?:[^A-Za-z0-9_-]|\z)", 7020, 3).checked(Check::Jwt),
    token("putty-key", "PuTTY private key", &["private-lines:"], r"Private-Lines: [0-9]{1,3}\r?\n([A-Za-z0-9+/=\r\n]{64,8000})", 8030, 0),
    // Frameworks and connection strings
    token("laravel-app-key", "Laravel application key", &["base64:"], r"(base64:[A-Za-z0-9+/]{22,43}={1,2})(?:[^A-Za-z0-9+/=]|\z)", 56, 7).checked(LARAVEL_KEY).entropy(30),
    token("database-url", "database or broker address with a password", &["://"],
        r#"\b(?i:mysql2?|mariadb|postgres(?:ql)?|pgsql|mongodb(?:\+srv)?|rediss?|valkeys?|amqps?|mssql|sqlserver|clickhouse|couchdb|nats|ldaps?)(?:\+[a-z0-9]{1,16})?://[^\s/:@"'<>`]{0,128}:([^\s/@"'<>`]{3,256})@[^\s/@"'<>`:]{1,255}"#, 700, 0),
    token("url-password", "address with user and password", &["://"],
        r#"\b(?i:https?|ftps?|sftp|ssh|git|smtps?|imaps?|socks5h?|wss?|svn)(?:\+[a-z0-9]{1,16})?://[^\s/:@"'<>`]{1,128}:([^\s/@"'<>`]{3,256})@[^\s/@"'<>`:]{1,255}"#, 700, 0),
    token("env-secret", "secret in an environment variable", &["password", "passwd", "secret", "token", "api_key", "apikey", "access_key", "private_key", "app_key", "encryption_key"],
        r#"(?m:^|[\s"';])(?:export[\t ]{1,4})?[A-Z][A-Z0-9_]{0,60}?(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|APP_KEY|ENCRYPTION_KEY|SECRET_KEY)(?:_[A-Z0-9]{1,20})?["']?[\t ]{0,4}(?:=>|=)[\t ]{0,4}["']?([^\s"'`#;,]{8,256})"#, 400, 0).entropy(30)
        .checked(Check::Value),
    token(
        "assigned-secret",
        "secret assigned to a name that says so",
        &["password", "passwd", "secret", "token", "api_key", "apikey", "api-key", "access_key", "accesskey", "access-key", "private_key", "private-key"],
        r#"(?i:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)["']?[\t ]{0,4}(?:=>|:=|[:=])[\t ]{0,4}["']?([A-Za-z0-9+/_.~-]{16,200}={0,2})(?:[\s"',;)}\]]|\z)"#,
        260,
        0,
    )
    .entropy(33)
    .checked(Check::MixedValue),
];
