//! A whole machine under qemu, for what a container cannot show: the real boot, and cgroup controllers.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::command::{start_failed, tail};
use crate::overlay::Overlay;
use crate::rundir::RunDir;
use crate::{Context, Error, Image, Result, announce, run, storage};

/// Runs the test's script once the machine is up and switches the machine off, however the script ends.
const UNIT: &str = "\
[Unit]
Description=Test script
After=multi-user.target
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
ExecStart=/bin/sh -euc '. /test-script; echo @end'
StandardOutput=file:/dev/ttyS1
StandardError=file:/dev/ttyS1
TimeoutStartSec=infinity
";

/// What came out of an emulated machine.
#[derive(Debug)]
pub struct Emulation {
    /// Everything the script printed.
    pub output: String,
    /// Kernel and systemd messages of the boot.
    pub console: String,
    /// From the start of qemu to the machine switching itself off.
    pub took: Duration,
}

impl Emulation {
    /// The rest of the lines that start with `@key `.
    pub fn marked(&self, key: &str) -> Vec<&str> {
        let prefix = format!("@{key} ");
        self.output.lines().filter_map(|line| line.strip_prefix(&prefix)).collect()
    }
}

/// Boots are tried so often when the emulated kernel panics.
const ATTEMPTS: u32 = 3;

/// Boots `image` (see [`Image::with_kernel`]) with `files` on its disk, runs `script` (`sh -eu`) after boot, and
/// returns what it printed. A script that fails is an error.
///
/// A kernel that panics is the emulator's mistake, not that of what is tested: qemu 7.2 gets code wrong that the
/// kernel patches while it runs. Such a boot is said and begun again; nothing else is.
pub fn emulate(image: &Image, files: &[(&str, &str)], script: &str, within: Duration) -> Result<Emulation> {
    let mut attempt = 1;
    loop {
        let emulation = emulate_once(image, files, script, within)?;
        announce(format_args!("emulated machine ran for {:.0} s", emulation.took.as_secs_f32()));
        if emulation.output.lines().any(|line| line == "@end") {
            return Ok(emulation);
        }
        let (output, console) = (tail(&emulation.output, 40), tail(&emulation.console, 60));
        if attempt == ATTEMPTS || !emulation.console.contains("Kernel panic - not syncing") {
            return Err(Error::new(format!("the script did not end:\n{output}\n--- console\n{console}")));
        }
        announce(format_args!("the emulated kernel panicked; once more:\n{console}"));
        attempt += 1;
    }
}

fn emulate_once(image: &Image, files: &[(&str, &str)], script: &str, within: Duration) -> Result<Emulation> {
    let dir = RunDir::create()?;
    let (kernel, initrd) = {
        let lower = image.lower_dirs();
        let lower: Vec<&Path> = lower.iter().map(PathBuf::as_path).collect();
        let overlay = Overlay::mount(&lower, &dir.path)?;
        write(&overlay.merged, "/etc/systemd/system/test-script.service", UNIT)?;
        let wants = overlay.merged.join("etc/systemd/system/default.target.wants");
        fs::create_dir_all(&wants)?;
        std::os::unix::fs::symlink("../test-script.service", wants.join("test-script.service"))?;
        write(&overlay.merged, "/test-script", script)?;
        for (path, text) in files {
            write(&overlay.merged, path, text)?;
        }
        if let Some(storage) = image.storage_dir() {
            storage::copy(storage, &overlay.merged.join("var/lib"))?;
        }
        disk(&overlay.merged, &dir.path.join("disk"))?;
        (
            boot_file(&overlay.merged, "vmlinuz-", &dir.path)?,
            boot_file(&overlay.merged, "initrd.img-", &dir.path)?,
        )
    };
    let started = Instant::now();
    qemu(&dir.path, &kernel, &initrd, within)?;
    let read = |name: &str| {
        fs::read(dir.path.join(name)).map(|text| String::from_utf8_lossy(&text).replace('\r', ""))
    };
    Ok(Emulation { output: read("output")?, console: read("console")?, took: started.elapsed() })
}

fn write(root: &Path, path: &str, text: &str) -> Result<()> {
    let file = root.join(path.trim_start_matches('/'));
    fs::create_dir_all(file.parent().context("a file has a directory")?)?;
    fs::write(&file, text).context(file.display())
}

/// A sparse ext4 image of `root`; no mount and no partition table needed.
fn disk(root: &Path, image: &Path) -> Result<()> {
    let started = Instant::now();
    let args = ["-q", "-t", "ext4", "-O", "^has_journal", "-E", "lazy_itable_init=1,root_owner=0:0", "-d"];
    run(
        "mke2fs",
        args.iter().map(AsRef::<std::ffi::OsStr>::as_ref).chain([
            root.as_os_str(),
            image.as_os_str(),
            "4G".as_ref(),
        ]),
    )?;
    announce(format_args!("made its disk in {:.1} s", started.elapsed().as_secs_f32()));
    Ok(())
}

/// Copies `/boot/PREFIX*` out of the image.
fn boot_file(root: &Path, prefix: &str, dir: &Path) -> Result<PathBuf> {
    for entry in fs::read_dir(root.join("boot"))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let copy = dir.join(prefix);
            fs::copy(entry.path(), &copy)?;
            return Ok(copy);
        }
    }
    Err(Error::new(format!("the image has no /boot/{prefix}*")))
}

fn qemu(dir: &Path, kernel: &Path, initrd: &Path, within: Duration) -> Result<()> {
    let mut command = Command::new("qemu-system-x86_64");
    // Emulation, so that it runs wherever the other tests do: nested virtualisation is rare on CI machines. Without
    // cx16, because qemu 7.2 leaves wrong flags behind a cmpxchg16b and newer kernels die of it while they boot. One
    // processor in one thread, because with two of them one may run what the other's kernel patches (seen: an
    // invalid opcode in the middle of an instruction).
    command.args([
        "-accel",
        "tcg,thread=single",
        "-cpu",
        "max,-cx16",
        "-smp",
        "1",
        "-m",
        "1024",
        "-nodefaults",
    ]);
    command.args(["-display", "none", "-no-reboot", "-nic", "none", "-serial"]);
    command.arg(format!("file:{}", dir.join("console").display()));
    command.arg("-serial").arg(format!("file:{}", dir.join("output").display()));
    command
        .arg("-drive")
        .arg(format!("file={},if=virtio,format=raw,cache=unsafe", dir.join("disk").display()));
    command.arg("-kernel").arg(kernel).arg("-initrd").arg(initrd);
    // A panic reboots at once, and -no-reboot makes that the end of qemu instead of a wait for the time limit.
    command.args(["-append", "root=/dev/vda rw console=ttyS0 quiet mitigations=off panic=-1"]);
    let log = File::create(dir.join("qemu.log"))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut child = command.spawn().map_err(|error| start_failed(&command, &error))?;
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id())?);
    let (done, ended) = mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        // The child is waited for only after this thread has been told, so the number is still its own.
        if ended.recv_timeout(within) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
    });
    let status = child.wait();
    drop(done);
    let _ = watchdog.join();
    if !status?.success() {
        let log = fs::read_to_string(dir.join("qemu.log")).unwrap_or_default();
        let console = fs::read(dir.join("console")).unwrap_or_default();
        let console = tail(&String::from_utf8_lossy(&console), 60);
        return Err(Error::new(format!("qemu failed or took over {} s: {log}\n{console}", within.as_secs())));
    }
    Ok(())
}
