//! Which file is whose: by path alone, so that nothing else has to be opened.

/// What to do with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// No package database.
    Nothing,
    /// Read by this reader.
    Read(Reader),
    /// A package database or lock file that is left out, and why.
    NotRead(&'static str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    ComposerLock,
    ComposerInstalled,
    ComposerManifest,
    NpmLock,
    NpmManifest,
    CargoLock,
    Apk,
    Dpkg,
    OsRelease,
}

const FOREIGN: &str = "it belongs to a dependency, not to what is installed";

pub(crate) fn sort(path: &str) -> Sort {
    match path {
        "etc/os-release" | "usr/lib/os-release" => return Sort::Read(Reader::OsRelease),
        "lib/apk/db/installed" | "usr/lib/apk/db/installed" => return Sort::Read(Reader::Apk),
        "var/lib/dpkg/status" => return Sort::Read(Reader::Dpkg),
        _ => {}
    }
    if let Some(name) = path.strip_prefix("var/lib/dpkg/status.d/") {
        let wanted = !name.contains('/') && !name.ends_with(".md5sums");
        return if wanted { Sort::Read(Reader::Dpkg) } else { Sort::Nothing };
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"].contains(&folder)
        && ["Packages", "Packages.db", "rpmdb.sqlite"].contains(&name)
    {
        return Sort::NotRead("rpm databases are not read yet");
    }
    if folder.starts_with("var/lib/pacman/local/") && name == "desc" {
        return Sort::NotRead("pacman databases are not read yet");
    }
    let inside = |vendor: &str| folder.split('/').any(|segment| segment == vendor);
    match name {
        "installed.json" if folder == "vendor/composer" || folder.ends_with("/vendor/composer") => {
            Sort::Read(Reader::ComposerInstalled)
        }
        "composer.lock" if inside("vendor") => Sort::NotRead(FOREIGN),
        "composer.lock" => Sort::Read(Reader::ComposerLock),
        "composer.json" if !inside("vendor") && !inside("node_modules") => {
            Sort::Read(Reader::ComposerManifest)
        }
        ".package-lock.json" if folder == "node_modules" || folder.ends_with("/node_modules") => {
            Sort::Read(Reader::NpmLock)
        }
        "package-lock.json" | "npm-shrinkwrap.json" if inside("node_modules") || inside("vendor") => {
            Sort::NotRead(FOREIGN)
        }
        "package-lock.json" | "npm-shrinkwrap.json" => Sort::Read(Reader::NpmLock),
        "package.json" if !inside("vendor") && !inside("node_modules") => Sort::Read(Reader::NpmManifest),
        "Cargo.lock" => Sort::Read(Reader::CargoLock),
        _ => other(folder, name),
    }
}

/// Families whose reader does not exist yet.
fn other(folder: &str, name: &str) -> Sort {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let reason = match name {
        "pnpm-lock.yaml" => "pnpm lock files are not read yet",
        "yarn.lock" => "Yarn lock files are not read yet",
        "bun.lock" | "bun.lockb" => "Bun lock files are not read yet",
        "deno.lock" => "Deno lock files are not read yet",
        "poetry.lock" | "uv.lock" | "pdm.lock" | "pylock.toml" | "Pipfile.lock" => {
            "Python lock files are not read yet"
        }
        "METADATA" if folder.ends_with(".dist-info") => "installed Python packages are not read yet",
        "PKG-INFO" if folder.ends_with(".egg-info") => "installed Python packages are not read yet",
        "Gemfile.lock" | "gems.locked" => "Ruby lock files are not read yet",
        "go.mod" | "go.sum" => "Go module files are not read yet",
        "pom.xml" | "gradle.lockfile" | "buildscript-gradle.lockfile" => "Java build files are not read yet",
        "packages.lock.json" | "project.assets.json" | "packages.config" => {
            ".NET lock files are not read yet"
        }
        "mix.lock" => "Elixir lock files are not read yet",
        "rebar.lock" => "Erlang lock files are not read yet",
        "pubspec.lock" => "Dart lock files are not read yet",
        "Podfile.lock" | "Package.resolved" => "Swift and CocoaPods lock files are not read yet",
        "conan.lock" => "Conan lock files are not read yet",
        "stack.yaml.lock" | "cabal.project.freeze" => "Haskell lock files are not read yet",
        "renv.lock" => "R lock files are not read yet",
        "composer.phar" => "PHP archives are not opened yet",
        _ if name.starts_with("requirements") && extension == "txt" => {
            "Python requirement files are not read yet"
        }
        _ if name.ends_with(".deps.json") => ".NET dependency files are not read yet",
        _ => match extension {
            "jar" | "war" | "ear" => "Java archives are not opened yet",
            "whl" | "egg" => "Python archives are not opened yet",
            "rpm" | "deb" | "apk" => "package archives are not opened yet",
            "gem" => "Ruby gems are not opened yet",
            "gemspec" if folder.ends_with("specifications") => "installed Ruby gems are not read yet",
            "nupkg" => "NuGet archives are not opened yet",
            _ => return Sort::Nothing,
        },
    };
    Sort::NotRead(reason)
}
