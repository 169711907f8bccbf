//! Whose process listens on a port of this machine: a token must not be shown to another user
//! who was there first.

use std::fs;

/// The state of a socket that listens, in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// Whether somebody else than this user, or root, listens on a port. Where the system does not
/// say, nobody else does.
pub(crate) fn is_strangers(port: u16) -> bool {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let text: String = tables.iter().filter_map(|table| fs::read_to_string(table).ok()).collect();
    let own = rustix::process::geteuid().as_raw();
    owners(&text, port).any(|owner| owner != own && owner != 0)
}

/// The users of the sockets that listen on a port, from the system's table.
fn owners(table: &str, port: u16) -> impl Iterator<Item = u32> + '_ {
    table.lines().filter_map(move |line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let local = fields.get(1)?.rsplit_once(':')?.1;
        let listens = u16::from_str_radix(local, 16) == Ok(port) && *fields.get(3)? == LISTENING;
        listens.then(|| fields.get(7)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_who_listens() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
             0: 0100007F:2252 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1\n\
             1: 0100007F:2252 0100007F:9999 01 00000000:00000000 00:00000000 00000000  1001        0 2 1\n\
             2: 0100007F:2253 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1002        0 3 1\n\
             broken\n";
        assert_eq!(owners(table, 8786).collect::<Vec<_>>(), [1000]);
        assert_eq!(owners(table, 8787).collect::<Vec<_>>(), [1002]);
        assert_eq!(owners(table, 1).count(), 0);
    }

    #[test]
    fn our_own_ports_are_no_strangers() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!is_strangers(listener.local_addr().unwrap().port()));
    }
}
