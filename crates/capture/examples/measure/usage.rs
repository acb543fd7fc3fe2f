//! Time and memory of this process, and kernel memory of its BPF objects.

use std::fs;

/// CPU seconds of this process, user and system.
pub fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field, in brackets, may hold anything; utime is the 12th behind it.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks =
        |at: usize| rest.split_whitespace().nth(at).and_then(|t| t.parse::<f64>().ok()).unwrap_or(0.0);
    // USER_HZ is 100 on every architecture that has tcx.
    (ticks(11) + ticks(12)) / 100.0
}

/// A line of /proc/self/status in MiB: `VmRSS`, `VmHWM`.
pub fn memory_mib(what: &str) -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(what));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)).and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// What the kernel says its BPF maps and programs take that this process holds
/// open, in MiB. Programs and inner maps that only links and maps hold are not
/// among them.
pub fn bpf_mib() -> f64 {
    let Ok(descriptors) = fs::read_dir("/proc/self/fdinfo") else { return 0.0 };
    let bytes: u64 = descriptors
        .flatten()
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .filter_map(|text| {
            let line = text.lines().find(|line| line.starts_with("memlock:"))?;
            line.split_whitespace().nth(1)?.parse::<u64>().ok()
        })
        .sum();
    bytes as f64 / f64::from(1 << 20)
}

/// All memory that the machine counts as taken by kernel allocations, in MiB:
/// other work on the machine is in it.
pub fn kernel_mib() -> f64 {
    let info = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let of = |what: &str| {
        let line = info.lines().find(|line| line.starts_with(what));
        line.and_then(|line| line.split_whitespace().nth(1))
            .and_then(|kib| kib.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (of("Slab:") + of("Percpu:") + of("VmallocUsed:")) / 1024.0
}

/// The middle of some values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
