//! `cargo xtask release`: what is published of a version, in `target/release-files`.

use std::{fmt::Write, fs, io, path::PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use xshell::cmd;

use crate::{
    build::{self, Built},
    setup::{self, Packagers, install},
    site,
    workspace::Workspace,
};

/// What is packed beside the program and its site.
const DOCUMENTS: [&str; 8] = [
    "CHANGELOG.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "deploy/debian/tonesa.env",
    "deploy/systemd/tonesa.service",
    "docs/operations.md",
];

/// The packages that are compiled into what is published, and for what.
const SHIPPED: [(&str, &str); 2] = [("server", "tonesa"), ("frontend", "tonesa-site")];

/// Who is asked about the Debian package.
const MAINTAINER: &str = "The Tonesa contributors <maintainers@tonesa.example>";

/// Counts the Debian packages of one version of the program.
const DEBIAN_REVISION: &str = "1";

/// Builds the program and packs it: an archive, a Debian package, lists of all that is compiled into them (SBOM), and
/// the checksums of these files.
pub fn run(workspace: &Workspace) -> Result<()> {
    let tools = setup::for_release(workspace)?;
    let built = build::release(workspace)?;
    let folder = workspace.target.join("release-files");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let release = Release {
        workspace,
        tools,
        folder,
        version: version(workspace)?,
        machine: machine(workspace)?,
    };
    release.archive(&built)?;
    release.debian_package()?;
    release.sboms()?;
    release.checksums()
}

struct Release<'a> {
    workspace: &'a Workspace,
    tools: Packagers,
    folder: PathBuf,
    version: String,
    /// The target, such as `x86_64-unknown-linux-gnu`.
    machine: String,
}

impl Release<'_> {
    /// Packs the same bytes from the same files, whenever and by whomever it is called.
    fn archive(&self, built: &Built) -> Result<()> {
        let shell = &self.workspace.shell;
        let name = format!("tonesa-{}-{}", self.version, self.machine);
        let staged = self.folder.join(&name);
        fs::create_dir_all(&staged)?;
        let program = staged.join("tonesa");
        let (from, site) = (&built.program, &built.site);
        cmd!(shell, "strip -o {program} {from}").run()?;
        cmd!(shell, "cp --recursive {site} {staged}/site").run()?;
        for document in DOCUMENTS {
            cmd!(shell, "cp {document} {staged}").run()?;
        }
        let (folder, archive) = (&self.folder, self.folder.join(format!("{name}.tar.gz")));
        let time = cmd!(shell, "git log -1 --format=@%ct").read()?;
        cmd!(
            shell,
            "tar --create --file {archive} --use-compress-program 'gzip --no-name' --directory {folder}
             --sort name --mtime {time} --owner 0 --group 0 --numeric-owner --mode u+rwX,go+rX-w --format gnu {name}"
        )
        .run()?;
        Ok(fs::remove_dir_all(staged)?)
    }

    /// `[package.metadata.deb]` in `server/Cargo.toml` says what is in it. Where Debian's lintian is installed, it has to
    /// find nothing wrong.
    fn debian_package(&self) -> Result<()> {
        self.debian_changelog()?;
        let deb = self.workspace.shell.cmd(&self.tools.deb);
        let deb = deb.args([
            "--package",
            "server",
            "--no-build",
            "--maintainer",
            MAINTAINER,
        ]);
        let deb = deb.args(["--deb-revision", DEBIAN_REVISION, "--output"]);
        // It prints the name of the package.
        let package = deb.arg(&self.folder).read()?;
        if install::is_on_path("lintian") {
            let shell = &self.workspace.shell;
            cmd!(shell, "lintian --fail-on error,warning {package}").run()?;
        } else {
            println!("xtask: not checked without lintian: {package}");
        }
        Ok(())
    }

    /// Writes the changelog that Debian's policy asks for: this version, at the time of the commit. What has changed is
    /// in the other one.
    fn debian_changelog(&self) -> Result<()> {
        let (shell, version) = (&self.workspace.shell, &self.version);
        // As cargo-deb writes it: a tilde sorts a version before the one without it.
        let debian_version = version.replace('-', "~");
        let time = cmd!(shell, "git log -1 --format=%cD").read()?;
        let file = self.workspace.target.join("release/changelog.Debian");
        let entry = format!(
            "tonesa ({debian_version}-{DEBIAN_REVISION}) unstable; urgency=medium\n\n  \
             * Version {version}: see changelog.gz.\n\n -- {MAINTAINER}  {time}\n"
        );
        shell.write_file(&file, entry)?;
        Ok(cmd!(shell, "gzip --best --no-name --force {file}").run()?)
    }

    /// Writes a list of packages in the format of `CycloneDX` for each part. The program puts one beside each manifest
    /// of the workspace.
    fn sboms(&self) -> Result<()> {
        for (package, part) in SHIPPED {
            let name = format!("{part}-{}.cdx", self.version);
            let target = if package == "frontend" {
                setup::TARGET
            } else {
                &self.machine
            };
            let manifest = format!("{package}/Cargo.toml");
            let sbom = self.workspace.shell.cmd(&self.tools.cyclonedx);
            let sbom = sbom.args(["cyclonedx", "--format", "json", "--quiet"]);
            let sbom = sbom.args(["--target", target, "--manifest-path", &manifest]);
            sbom.args(["--override-filename", &name]).run()?;
            let file = format!("{name}.json");
            let made = self.workspace.root.join(package).join(&file);
            let sbom = fs::read_to_string(&made).context("reading the SBOM")?;
            // Where it was built says nothing about what is in it.
            let root = self.workspace.root.display().to_string();
            fs::write(self.folder.join(&file), sbom.replace(&root, "."))?;
            for package in &self.workspace.packages {
                let made = package.manifest_path.with_file_name(&file);
                if made.is_file() {
                    fs::remove_file(made)?;
                }
            }
        }
        Ok(())
    }

    /// Writes `SHA256SUMS`, in the format that `sha256sum --check` reads.
    fn checksums(&self) -> Result<()> {
        let mut files: Vec<_> = fs::read_dir(&self.folder)?
            .map(|file| Ok(file?.path()))
            .collect::<io::Result<_>>()?;
        files.sort();
        let mut lines = String::new();
        for file in &files {
            let name = file.file_name().context("a file has a name")?;
            let hash = site::hex(&Sha256::digest(fs::read(file)?));
            writeln!(lines, "{hash}  {}", name.display())?;
        }
        fs::write(self.folder.join("SHA256SUMS"), &lines)?;
        print!("{lines}");
        println!("xtask: publish what is in {}", self.folder.display());
        Ok(())
    }
}

fn version(workspace: &Workspace) -> Result<String> {
    let mut packages = workspace.packages.iter();
    let server = packages.find(|package| package.name == "server");
    let server = server.context("there is no package `server`")?;
    Ok(server.version.clone())
}

fn machine(workspace: &Workspace) -> Result<String> {
    let machine = cmd!(workspace.shell, "rustc --print host-tuple")
        .quiet()
        .read()?;
    ensure!(!machine.is_empty(), "rustc does not tell its target");
    Ok(machine)
}
