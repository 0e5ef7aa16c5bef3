//! What a running HAProxy says about the servers of a backend.

/// A server as it is in effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) weight: u16,
    /// Whether it gets requests, as far as administrators have a say.
    pub(crate) is_ready: bool,
    /// Whether it gets nothing new: in maintenance.
    pub(crate) is_out: bool,
}

/// `srv_admin_state` is a set of bits (`enum srv_admin` in HAProxy's `server-t.h`). `CMAINT` (4) only remembers that
/// the configuration said `disabled`.
const FORCED_MAINTENANCE: u32 = 0x01;
const NOT_READY: u32 = FORCED_MAINTENANCE | 0x02 | 0x08 | 0x10 | 0x20 | 0x40;

/// Reads the answer to `show servers state BACKEND`; `None` if it is not one.
pub(crate) fn servers(answer: &str) -> Option<Vec<Known>> {
    let mut lines = answer.lines();
    // The version of the format; the columns are named, so that their order may change.
    lines.next().filter(|version| *version == "1")?;
    let columns: Vec<&str> = lines.next()?.strip_prefix("# ")?.split(' ').collect();
    let at = |name| columns.iter().position(|column| *column == name);
    let (name, admin, weight) = (at("srv_name")?, at("srv_admin_state")?, at("srv_uweight")?);
    let server = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        let admin: u32 = fields.get(admin)?.parse().ok()?;
        Some(Known {
            name: (*fields.get(name)?).to_owned(),
            weight: fields.get(weight)?.parse().ok()?,
            is_ready: admin & NOT_READY == 0,
            is_out: admin & FORCED_MAINTENANCE != 0,
        })
    };
    lines.filter(|line| !line.is_empty()).map(server).collect()
}

/// Reads the answer to `show stat BACKEND 4 -1`: the servers with the requests that they have now, those in their own
/// queues included. `None` if it is not such an answer.
pub(crate) fn requests(answer: &str) -> Option<Vec<(String, u64)>> {
    let mut lines = answer.lines();
    let columns: Vec<&str> = lines.next()?.strip_prefix("# ")?.split(',').collect();
    let at = |name| columns.iter().position(|column| *column == name);
    let (name, queued, current) = (at("svname")?, at("qcur")?, at("scur")?);
    let server = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(((*fields.get(name)?).to_owned(), number(queued)?.saturating_add(number(current)?)))
    };
    lines.filter(|line| !line.is_empty()).map(server).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states() {
        let columns =
            "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight";
        let answer = format!(
            "1\n# {columns}\n3 web 1 127.0.0.1:80 127.0.0.1 2 0 19 1\n3 web 2 old 127.0.0.1 0 5 1 1\n\
             3 web 3 unix:run:a - 2 4 256 1\n3 web 4 draining 127.0.0.1 2 8 1 1\n"
        );
        let servers = servers(&answer).unwrap();
        let short: Vec<_> = servers
            .iter()
            .map(|known| (known.name.as_str(), known.weight, known.is_ready, known.is_out))
            .collect();
        assert_eq!(
            short,
            [
                ("127.0.0.1:80", 19, true, false),
                ("old", 1, false, true),
                ("unix:run:a", 256, true, false),
                ("draining", 1, false, false)
            ]
        );
        for answer in ["", "Can't find backend.", "2\n# be_id", "1\n# be_id\n3"] {
            assert_eq!(super::servers(answer), None, "{answer}");
        }
        assert_eq!(super::servers(&format!("1\n# {columns}\n")).unwrap(), []);
    }

    #[test]
    fn requests_of_now() {
        let answer = "# pxname,svname,qcur,qmax,scur,smax,\nweb,127.0.0.1:80,1,0,3,9,\nweb,old,0,0,0,9,\n\n";
        assert_eq!(requests(answer).unwrap(), [("127.0.0.1:80".to_owned(), 4), ("old".to_owned(), 0)]);
        assert_eq!(requests("No such proxy."), None);
    }
}
