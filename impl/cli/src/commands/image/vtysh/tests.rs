//! What a shell prints; and a live router, where there is one: daemons of our own in a network
//! namespace of their own, which end with the test.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use skewsync::config::Config;
use skewsync::image::{Image, bundled};
use skewsync::translate::Lowering;

use super::*;
use crate::pair::Pair;
use crate::running::Running;

const DAEMONS: [&str; 7] = ["zebra", "staticd", "bgpd", "ospfd", "ospf6d", "pimd", "bfdd"];
const FOLDER: &str = "/usr/lib/frr";
const START_MAX: Duration = Duration::from_secs(20);

/// Daemons with their sockets in a folder of their own.
struct Live {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Live {
    /// Starts them; none, with a message, where that cannot be.
    fn start() -> Option<Self> {
        let apart = Command::new("unshare").args(["-n", "true"]).stderr(Stdio::null()).status();
        let there =
            Path::new(FOLDER).join("zebra").exists() && Path::new("/usr/bin/vtysh").exists();
        if !there || !apart.is_ok_and(|status| status.success()) {
            println!("skipped: no FRRouting here, or no network namespace for it");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder for the test");
        // The daemons give up their rights before they write.
        let all = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(folder.path(), all).expect("an own folder");
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("none.conf"), "").expect("a file for the test");
        let mut daemons = Vec::new();
        for name in DAEMONS {
            let daemon = Command::new("unshare")
                .arg("-n")
                .arg(Path::new(FOLDER).join(name))
                .args(["-A", "127.0.0.1", "-P", "0", "--log", "stdout", "--vty_socket"])
                .arg(folder.path())
                .arg("-z")
                .arg(file("zserv.api"))
                .arg("-i")
                .arg(file(&format!("{name}.pid")))
                .arg("-f")
                .arg(file("none.conf"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("unshare runs");
            daemons.push(daemon);
        }
        let since = Instant::now();
        let live = Self { folder, daemons };
        let up = |name: &str| live.folder.path().join(format!("{name}.vty")).exists();
        while !DAEMONS.iter().all(|name| up(name)) {
            assert!(since.elapsed() < START_MAX, "the daemons do not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(live)
    }

    fn shell(&self) -> Shell {
        Shell::new(Path::new("vtysh"), Some(self.folder.path()))
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            // One that ended by itself is gone already.
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }
}

#[test]
fn what_the_shell_prints_is_read_with_its_modes() {
    let found = "  (view)  show version\n  (config)  list [permutations]\n  \
                 (config)  hostname WORD\n  (config)  no hostname [DOMAINNAME]\n  \
                 (config)  router bgp [(1-4294967295)]\n  \
                 (config)  router bgp-like WORD\n  (config)  no router bgp [(1-4294967295)]\n  \
                 (bgp)  timers bgp (0-65535) (0-65535)\n  (odd mode)  odd WORD\n";
    let router = Router::read("FRRouting 8.4.4 (vm) on Linux.\n", found);
    assert_eq!((router.release.as_str(), router.forms.len()), ("8.4.4", 6));
    assert_eq!(router.unknown, BTreeMap::from([("odd mode".to_owned(), 1)]));
    let bgp = router.modes.iter().find(|mode| mode.name == "bgp").expect("the mode");
    assert_eq!(bgp.enter, ["router bgp [(1-4294967295)]"]);
    assert_eq!(bgp.parent.as_deref(), Some(ROOT));
    let image = router.import(Path::new("vtysh"), "frr", None, None).expect("an image").image;
    assert_eq!(image.name(), "frr@8.4.4");
}

/// The router's own image, and one of a newer release with all of its forms.
fn images(router: &Router) -> [Image; 2] {
    let overlay = Family::parse(bundled::FRR).expect("the bundled overlay has no errors");
    let mut newer = router.clone();
    newer.release = "10.3".to_owned();
    for (mode, form) in [
        (ROOT, "router pim [vrf NAME]"),
        ("pim", "rp A.B.C.D [A.B.C.D/M]"),
        ("pim", "no rp A.B.C.D [A.B.C.D/M]"),
        ("pim", "join-prune-interval (1-65535)"),
        ("pim", "no join-prune-interval [(1-65535)]"),
    ] {
        let component = "frr".to_owned();
        newer.forms.push(ImportedForm { mode: mode.to_owned(), form: form.to_owned(), component });
    }
    newer.modes = modes_of(&newer.forms);
    [router, &newer].map(|router| {
        let made = router.import(Path::new("vtysh"), "frr", None, Some(&overlay));
        let made = made.expect("the forms make an image");
        assert_eq!(made.report, "");
        made.image
    })
}

/// Every line of a config, with the entries around it.
fn lines(config: &Config) -> BTreeSet<String> {
    let lines = config.lines().map(|(key, line)| key.place.path() + line.words.text());
    lines.chain(config.entries().map(|(place, _)| place.path())).collect()
}

#[test]
fn what_a_live_router_is_sent_is_executed_and_read_back() {
    let Some(live) = Live::start() else { return };
    let router = live.shell().router().expect("the shell answers");
    assert!(router.forms.len() > 2_500, "{}", router.forms.len());
    let [own, newer] = images(&router);
    let text = "ip route 192.0.2.0/24 blackhole\n\
                ip prefix-list in seq 5 permit 192.0.2.0/24\n\
                route-map to permit 10\n match ipv6 next-hop address 2001:db8::1\n set metric 10\n\
                exit\n\
                router bgp 65000\n neighbor 192.0.2.1 remote-as 65001\n \
                neighbor 192.0.2.1 timers connect 10\nexit\n\
                interface lo\n ip ospf passive\n ipv6 ospf6 area 0.0.0.0\n ip igmp\n\
                exit\n\
                router pim\n rp 192.0.2.9 224.0.0.0/4\n join-prune-interval 70\nexit\n";
    let mut config = Config::factory(newer.levels());
    config.execute(&newer, newer.own(), text).expect("lines of the newer release");
    let pair = Pair::new(Arc::new(newer), Arc::new(own)).expect("the two make a pair");
    let lowering = Lowering::new(&pair.active, &pair.at_active, &config);
    assert_eq!(lowering.stuck().len(), 0, "{:?}", lowering.stuck().collect::<Vec<_>>());
    let sent = String::from_utf8(lowering.wire_bytes()).expect("text");
    assert!(sent.contains("ip pim rp 192.0.2.9 224.0.0.0/4") && !sent.contains("router pim"));
    let file = live.folder.path().join("sent.conf");
    std::fs::write(&file, &sent).expect("a file for the test");
    let path = file.display().to_string();
    let executed = Command::new("vtysh")
        .arg("--vty_socket")
        .arg(live.folder.path())
        .args(["-f", &path])
        .output()
        .expect("the shell runs");
    let said = String::from_utf8_lossy(&[executed.stdout, executed.stderr].concat()).into_owned();
    assert!(executed.status.success() && !said.contains('%'), "{said}\n{sent}");
    let own = &pair.standby;
    let mut made = Config::factory(own.levels());
    made.execute(own, own.own(), &sent).expect("lines of its own");
    let back = live.shell().say(&["show running-config"]).expect("the shell answers");
    let read = Running::read(own, back.as_bytes());
    let missing: Vec<String> = lines(&made).difference(&lines(&read.config)).cloned().collect();
    assert_eq!(missing, [""; 0], "{back}");
    println!("{} lines sent to {}, all read back", lines(&made).len(), router.release);
}
