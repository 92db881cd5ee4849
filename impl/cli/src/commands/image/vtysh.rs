//! The forms of a live FRRouting router, asked of its shell.
//!
//! `find` prints every form of every mode in the form language. It does not say how the modes hang
//! together: that stands here, by the words that enter them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use skewsync::grammar::{Form, Pattern};
use skewsync::image::{Family, Given, ImportedForm, ImportedMode, ROOT};

use super::forms::{Imported, import_set};
use crate::counted;
use crate::input::InputError;

/// A mode: as the shell calls it, as images do, the mode around it, and how it is entered.
const MODES: [[&str; 4]; 67] = [
    ["interface", "interface", ROOT, "interface $name"],
    ["vrf", "vrf", ROOT, "vrf $vrf"],
    ["vty", "vty", ROOT, "line vty"],
    ["pw", "pw", ROOT, "pseudowire $name"],
    ["link-params", "link_params", "interface", "link-params"],
    ["routemap", "rmap", ROOT, "route-map $name $action $seq"],
    ["pbr-map", "pbrmap", ROOT, "pbr-map $name seq $seq"],
    ["nexthop-group", "nh_group", ROOT, "nexthop-group $name"],
    ["keychain", "keychain", ROOT, "key chain $name"],
    ["keychain key", "keychain_key", "keychain", "key $key"],
    ["rpki", "rpki", ROOT, "rpki"],
    ["vrf rpki", "rpki_vrf", "vrf", "rpki"],
    ["bgp", "bgp", ROOT, "router bgp"],
    ["bgp ipv4 unicast", "bgp_ipv4", "bgp", "address-family ipv4"],
    ["bgp ipv4 multicast", "bgp_ipv4m", "bgp", "address-family ipv4 multicast"],
    ["bgp ipv4 labeled unicast", "bgp_ipv4l", "bgp", "address-family ipv4 labeled-unicast"],
    ["bgp ipv4 flowspec", "bgp_flowspecv4", "bgp", "address-family ipv4 flowspec"],
    ["bgp vpnv4", "bgp_vpnv4", "bgp", "address-family ipv4 vpn"],
    ["bgp ipv6", "bgp_ipv6", "bgp", "address-family ipv6"],
    ["bgp ipv6 multicast", "bgp_ipv6m", "bgp", "address-family ipv6 multicast"],
    ["bgp ipv6 labeled unicast", "bgp_ipv6l", "bgp", "address-family ipv6 labeled-unicast"],
    ["bgp ipv6 flowspec", "bgp_flowspecv6", "bgp", "address-family ipv6 flowspec"],
    ["bgp vpnv6", "bgp_vpnv6", "bgp", "address-family ipv6 vpn"],
    ["bgp evpn", "bgp_evpn", "bgp", "address-family l2vpn evpn"],
    ["bgp evpn vni", "bgp_evpn_vni", "bgp_evpn", "vni $vni"],
    ["bgp vrf policy", "bgp_vrf_policy", "bgp", "vrf-policy $name"],
    ["bgp vnc defaults", "bgp_vnc_defaults", "bgp", "vnc defaults"],
    ["bgp vnc nve", "bgp_vnc_nve_group", "bgp", "vnc nve-group $name"],
    ["bgp vnc l2", "bgp_vnc_l2_group", "bgp", "vnc l2-group $name"],
    ["bgp srv6", "bgp_srv6", "bgp", "segment-routing srv6"],
    ["bmp", "bmp", "bgp", "bmp targets $name"],
    ["ospf", "ospf", ROOT, "router ospf"],
    ["ospf6", "ospf6", ROOT, "router ospf6"],
    ["isis", "isis", ROOT, "router isis $tag"],
    ["isis flex-algo", "isis_flex_algo", "isis", "flex-algo $algorithm"],
    ["isis srv6", "isis_srv6", "isis", "segment-routing srv6"],
    ["isis srv6 node msd", "isis_srv6_node_msd", "isis_srv6", "node-msd"],
    ["openfabric", "openfabric", ROOT, "router openfabric $tag"],
    ["rip", "rip", ROOT, "router rip"],
    ["ripng", "ripng", ROOT, "router ripng"],
    ["eigrp", "eigrp", ROOT, "router eigrp $asn"],
    ["babel", "babel", ROOT, "router babel"],
    ["pim", "pim", ROOT, "router pim"],
    ["pim6", "pim6", ROOT, "router pim6"],
    ["bfd", "bfd", ROOT, "bfd"],
    ["bfd peer", "bfd_peer", "bfd", "peer $peer"],
    ["bfd profile", "bfd_profile", "bfd", "profile $name"],
    ["ldp", "ldp", ROOT, "mpls ldp"],
    ["ldp ipv4", "ldp_ipv4", "ldp", "address-family ipv4"],
    ["ldp ipv4 interface", "ldp_ipv4_iface", "ldp_ipv4", "interface $name"],
    ["ldp ipv6", "ldp_ipv6", "ldp", "address-family ipv6"],
    ["ldp ipv6 interface", "ldp_ipv6_iface", "ldp_ipv6", "interface $name"],
    ["ldp l2vpn", "ldp_l2vpn", ROOT, "l2vpn $name type vpls"],
    ["ldp pseudowire", "ldp_pseudowire", "ldp_l2vpn", "member pseudowire $name"],
    ["segment-routing", "segment_routing", ROOT, "segment-routing"],
    ["sr traffic-eng", "sr_traffic_eng", "segment_routing", "traffic-eng"],
    ["srte segment-list", "sr_segment_list", "sr_traffic_eng", "segment-list $name"],
    ["srte policy", "sr_policy", "sr_traffic_eng", "policy color $color endpoint $endpoint"],
    [
        "srte candidate-dyn",
        "sr_candidate_dyn",
        "sr_policy",
        "candidate-path preference _ name _ dynamic",
    ],
    ["srte pcep", "pcep", "sr_traffic_eng", "pcep"],
    ["srte pcep pcc", "pcep_pcc", "pcep", "pcc"],
    ["srte pcep pce-peer", "pcep_pce", "pcep", "pce $name"],
    ["srte pcep pce-config", "pcep_pce_config", "pcep", "pce-config $name"],
    ["srv6", "srv6", "segment_routing", "srv6"],
    ["srv6-locators", "srv6_locs", "srv6", "locators"],
    ["srv6-locator", "srv6_loc", "srv6_locs", "locator $name"],
    ["extended", "extlog", ROOT, "log extended $name"],
];

/// The shell's own modes, in which nothing is configured.
const EXEC: [&str; 4] = ["view", "enable", "auth", "auth enable"];

/// The first words of what every mode has of the shell, and is no configuration.
const SHELL: [&str; 7] = ["show", "list", "find", "output", "write", "do", "clear"];

/// Why a router's forms cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    /// The shell cannot be run.
    #[error("{}: {error}", path.display())]
    Run {
        /// The shell.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The shell failed.
    #[error("{}: {said}", path.display())]
    Failed {
        /// The shell.
        path: PathBuf,
        /// What it said.
        said: String,
    },
}

impl From<ShellError> for InputError {
    fn from(error: ShellError) -> Self {
        let path = match &error {
            ShellError::Run { path, .. } | ShellError::Failed { path, .. } => path.clone(),
        };
        Self::File { path, error: std::io::Error::other(error.to_string()) }
    }
}

/// A router's shell.
#[derive(Clone, Debug)]
pub struct Shell {
    path: PathBuf,
    /// The folder of the daemons' sockets; none: the shell's own.
    sockets: Option<PathBuf>,
}

/// What a router says of itself.
#[derive(Clone, Debug)]
pub struct Router {
    /// Its release: `8.4.4`.
    pub release: String,
    /// Its forms.
    pub forms: Vec<ImportedForm>,
    /// Its modes.
    pub modes: Vec<ImportedMode>,
    /// Modes of which it is not known where they stand, with the number of their forms.
    pub unknown: BTreeMap<String, usize>,
}

impl Shell {
    /// The shell at `path`.
    pub fn new(path: &Path, sockets: Option<&Path>) -> Self {
        Self { path: path.to_owned(), sockets: sockets.map(ToOwned::to_owned) }
    }

    /// What the shell says to these commands, one after the other.
    ///
    /// # Errors
    /// See [`ShellError`].
    pub fn say(&self, commands: &[&str]) -> Result<String, ShellError> {
        let mut shell = Command::new(&self.path);
        if let Some(sockets) = &self.sockets {
            shell.arg("--vty_socket").arg(sockets);
        }
        for command in commands {
            shell.arg("-c").arg(command);
        }
        let said =
            shell.output().map_err(|error| ShellError::Run { path: self.path.clone(), error })?;
        if !said.status.success() {
            let text = [said.stdout, said.stderr].concat();
            let said = String::from_utf8_lossy(&text).trim().to_owned();
            return Err(ShellError::Failed { path: self.path.clone(), said });
        }
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    }

    /// The router's release, forms and modes.
    ///
    /// # Errors
    /// See [`ShellError`].
    pub fn router(&self) -> Result<Router, ShellError> {
        let version = self.say(&["show version"])?;
        let found = self.say(&["find ."])?;
        Ok(Router::read(&version, &found))
    }
}

impl Router {
    /// Reads what a shell says to `show version` and to `find .`: `  (mode)  form`.
    pub fn read(version: &str, found: &str) -> Self {
        let release = version.split_whitespace().nth(1).unwrap_or("unknown").to_owned();
        let (mut forms, mut unknown) = (Vec::new(), BTreeMap::new());
        for line in found.lines() {
            let Some((mode, form)) =
                line.trim().strip_prefix('(').and_then(|l| l.split_once(")  "))
            else {
                continue;
            };
            let words = form.strip_prefix("no ").unwrap_or(form);
            let first = words.split(' ').next().unwrap_or_default();
            if EXEC.contains(&mode) || SHELL.contains(&first) {
                continue;
            }
            let known = MODES.iter().find(|[name, ..]| *name == mode).map(|[_, name, ..]| *name);
            let known = known.or((mode == ROOT).then_some(ROOT));
            match known {
                Some(mode) => forms.push(ImportedForm {
                    mode: mode.to_owned(),
                    form: form.trim().to_owned(),
                    component: "frr".to_owned(),
                }),
                None => *unknown.entry(mode.to_owned()).or_default() += 1,
            }
        }
        let modes = modes_of(&forms);
        Self { release, forms, modes, unknown }
    }
}

impl Router {
    /// The image of the router's command set.
    ///
    /// # Errors
    /// [`InputError::Row`] where what was taken makes no image.
    pub fn import(
        &self,
        shell: &Path,
        name: &str,
        release: Option<&str>,
        overlay: Option<&Family>,
    ) -> Result<Imported, InputError> {
        let release = release.unwrap_or(&self.release);
        let made = import_set(&self.forms, &self.modes, name, release, overlay);
        let wrong = |message| InputError::Row { path: shell.to_owned(), line: 0, message };
        let mut imported = made.map_err(wrong)?;
        imported.tell(self.forms.len(), |given| match given {
            Given::Form(number) => format!("mode {}: not taken", self.forms[*number].mode),
            Given::Mode(mode) => format!("mode {mode}: left out"),
        });
        for (mode, count) in &self.unknown {
            let forms = counted(*count, "form is", "forms are");
            imported.report +=
                &format!("mode `{mode}`: nobody knows where it stands: {forms} left out\n");
        }
        Ok(imported)
    }
}

/// The modes of which there are forms, with those of the mode around them that enter them.
fn modes_of(forms: &[ImportedForm]) -> Vec<ImportedMode> {
    let root = ImportedMode { name: ROOT.to_owned(), parent: None, enter: Vec::new() };
    let others = MODES.iter().filter(|[_, name, ..]| forms.iter().any(|form| form.mode == *name));
    let others = others.map(|[_, name, parent, enter]| {
        let pattern = Pattern::read(enter).ok();
        let enters = |row: &&ImportedForm| {
            let form = Form::parse(&row.form).ok().filter(|_| row.mode == *parent);
            let named = form.as_ref().and_then(|form| pattern.as_ref()?.name(form));
            named.is_some() && !row.form.starts_with("no ")
        };
        let enter = forms.iter().filter(enters).map(|row| row.form.clone()).collect();
        ImportedMode { name: (*name).to_owned(), parent: Some((*parent).to_owned()), enter }
    });
    std::iter::once(root).chain(others).collect()
}

#[cfg(test)]
mod tests;
