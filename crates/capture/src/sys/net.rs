//! Network namespaces and devices.

use super::check;
use std::ffi::{CStr, CString};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::fd::{AsRawFd, BorrowedFd};

/// Moves the calling thread, and no other, into a network namespace.
pub(crate) fn enter_namespace(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: setns takes a descriptor and a flag and touches no memory of ours.
    check(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }.into()).map(drop)
}

/// The index of a device in the calling thread's network namespace.
pub(crate) fn device_index(name: &str) -> io::Result<u32> {
    let name = CString::new(name).map_err(|_| io::Error::from_raw_os_error(libc::ENODEV))?;
    // SAFETY: `name` ends with a zero and lives through the call.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

/// Whether the calling thread's network namespace has a device with this index.
pub(crate) fn has_device(index: u32) -> bool {
    let mut name = [0; libc::IFNAMSIZ];
    // SAFETY: `name` has the IF_NAMESIZE bytes that may be written.
    !unsafe { libc::if_indextoname(index, name.as_mut_ptr()) }.is_null()
}

/// The addresses of a device in the calling thread's network namespace, with
/// the lengths of their networks, in the kernel's order.
pub(crate) fn addresses(device: &str) -> io::Result<Vec<(IpAddr, u8)>> {
    let mut list: *mut libc::ifaddrs = std::ptr::null_mut();
    // SAFETY: getifaddrs writes one pointer to `list`.
    check(unsafe { libc::getifaddrs(&mut list) }.into())?;
    let mut found = Vec::new();
    let mut next = list;
    while !next.is_null() {
        // SAFETY: `next` is null or an entry of the list, which lives until it is
        // freed below; ifa_name ends with a zero.
        let (entry, name) = unsafe { (&*next, CStr::from_ptr((*next).ifa_name)) };
        if name.to_bytes() == device.as_bytes() {
            // SAFETY: both are null or socket addresses of a family that says
            // how long they are.
            let pair = unsafe { (address(entry.ifa_addr), address(entry.ifa_netmask)) };
            if let (Some(address), Some(mask)) = pair {
                let ones = match mask {
                    IpAddr::V4(mask) => u32::from(mask).count_ones(),
                    IpAddr::V6(mask) => u128::from(mask).count_ones(),
                };
                found.push((address, ones as u8));
            }
        }
        next = entry.ifa_next;
    }
    // SAFETY: `list` came from getifaddrs and is freed once.
    unsafe { libc::freeifaddrs(list) };
    Ok(found)
}

/// The IP address in a socket address.
///
/// # Safety
/// `of` is null or points to a socket address as long as its family's.
unsafe fn address(of: *const libc::sockaddr) -> Option<IpAddr> {
    if of.is_null() {
        return None;
    }
    // SAFETY: the caller's; every socket address begins with its family.
    match i32::from(unsafe { (*of).sa_family }) {
        libc::AF_INET => {
            // SAFETY: the family says that it is a sockaddr_in.
            let address = unsafe { of.cast::<libc::sockaddr_in>().read_unaligned() };
            Some(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: the family says that it is a sockaddr_in6.
            let address = unsafe { of.cast::<libc::sockaddr_in6>().read_unaligned() };
            Some(Ipv6Addr::from(address.sin6_addr.s6_addr).into())
        }
        _ => None,
    }
}

/// The link type of a device in the calling thread's network namespace:
/// ARPHRD_ETHER and so on.
pub(crate) fn link_type(name: &str) -> io::Result<u16> {
    // Any socket of the namespace will do.
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    // SAFETY: ifreq holds integers, arrays of them and pointers: zero is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    // The last byte stays zero: names have at most 15.
    for (to, from) in request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1).zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    // SAFETY: SIOCGIFHWADDR reads ifr_name and writes ifr_hwaddr of `request`.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFHWADDR, &mut request) }.into())?;
    // SAFETY: the call succeeded, so the union holds a hardware address.
    Ok(unsafe { request.ifr_ifru.ifru_hwaddr.sa_family })
}
