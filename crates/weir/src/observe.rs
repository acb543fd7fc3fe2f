//! `weir serve --observe DEVICE`: flow logs for a device of this host, without
//! a VPC made by hand and without changing anything about its traffic; and for
//! devices that come and go, by rules.

mod plan;
mod rule;
mod watch;

pub use rule::{Rule, Target};
pub use watch::{Watch, Watching};

use crate::agent::Agent;
use crate::commands::HintExt;
use crate::server::{Config, now};
use anyhow::{Context, Result, anyhow};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use weir_api::host::Host;
use weir_capture::netns;
use weir_control::observed::{self, Device, Observed, appeared};
use weir_control::{Cx, State};
use weir_types::id::VpcId;
use weir_types::orders::Mode;

/// Attaching loads programs, and reads the kernel's type information.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is observed, in words for who started it.
#[derive(Debug, Default)]
pub struct Observing {
    devices: Vec<Observed>,
    rules: Vec<Rule>,
    /// Of the devices of the rules.
    vpc: Option<VpcId>,
    /// Why drops cannot be seen.
    blind: Option<String>,
    account: String,
}

/// What `--observe` and `--attach` name.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Devices that must be there.
    pub devices: Vec<String>,
    pub rules: Vec<Rule>,
}

/// Finds or makes the interface of each device and waits until it is attached;
/// then begins to watch the host's devices.
pub fn start(
    config: &Config,
    state: &Arc<State>,
    agent: Option<&Agent>,
    no_capture: Option<&str>,
    watch: Option<Watch>,
) -> Result<(Observing, Option<Watching>)> {
    let Wanted { devices, rules } = &config.observe;
    let Some(agent) = agent else {
        if devices.is_empty() && rules.is_empty() {
            return Ok((Observing::default(), None));
        }
        return Err(anyhow!("--observe needs capture: {}", no_capture.unwrap_or("it is not there")));
    };
    let handle = agent.handle();
    let scope = weir_control::Scope::new(&config.account_id, &config.region);
    let mut observing = Observing { account: config.account_id.clone(), ..Observing::default() };
    for name in devices {
        let device = find(name)?;
        let found = state
            .transact(|tx| observed::ensure(Cx { tx, scope: &scope, now: now() }, &device))
            .with_context(|| format!("cannot observe {name}"))?;
        let id = &found.interface.id;
        let applied = handle.wait_applied(state.generation()?, PATIENCE);
        let problem = handle.problem(id).or_else(|| (!applied).then(|| "the agent does not answer".into()));
        if let Some(problem) = problem {
            if found.attached {
                state.transact(|tx| appeared::vanish(Cx { tx, scope: &scope, now: now() }, id))?;
            }
            return Err(anyhow!("cannot observe {name}: {problem}"));
        }
        observing.devices.push(found);
    }
    let mut watching = None;
    if let Some(watch) = watch {
        let (started, vpc) = watch.start(rules.clone(), scope, state.clone(), handle.clone())?;
        (watching, observing.vpc) = (Some(started), vpc);
        observing.rules.clone_from(rules);
    }
    observing.blind = handle.blind();
    Ok((observing, watching))
}

fn find(name: &str) -> Result<Device> {
    let addresses = netns::addresses(name).map_err(|error| anyhow!("{}", weir_api::error::chain(&error)));
    let addresses = addresses.hint("'ip -brief address' shows the devices of this host")?;
    let (ipv4, ipv6) = plan::families(&addresses);
    Ok(Device { name: name.to_owned(), ipv4, ipv6 })
}

impl fmt::Display for Observing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Observed { device, interface, mode, made, attached } in &self.devices {
            let address = interface.primary_ipv4().map(|address| format!(" ({address})")).unwrap_or_default();
            writeln!(
                f,
                "Observing {device}{address} as {}, {} of {}.",
                interface.id, interface.subnet, interface.vpc
            )?;
            match made.as_slice() {
                [] if *attached => writeln!(f, "  It was there and is attached again.")?,
                [] => writeln!(f, "  It was attached before; mode {mode}.")?,
                made => writeln!(f, "  Made for it: {}. Traffic passes as before.", made.join(", "))?,
            }
            if *mode != Mode::Observe {
                writeln!(
                    f,
                    "  Weir's own rules decide there; 'weir attach --mode observe' leaves it to the host's."
                )?;
            }
        }
        for rule in &self.rules {
            let what = if rule.mode == Mode::Observe { "Observing" } else { "Attaching" };
            write!(f, "{what} devices as they appear: {}", rule.text)?;
            writeln!(
                f,
                "{}",
                if rule.mode == Mode::Observe { String::new() } else { format!(" ({})", rule.mode) }
            )?;
        }
        let next = match (&self.vpc, self.devices.first()) {
            (Some(vpc), _) => ("VPC", vpc.to_string()),
            (None, Some(first)) => ("NetworkInterface", first.interface.id.to_string()),
            (None, None) => return Ok(()),
        };
        if let Some(vpc) = &self.vpc {
            let is_enforced = self.rules.iter().any(|rule| rule.mode == Mode::Enforce);
            let traffic = if is_enforced { "" } else { "; traffic passes as before" };
            writeln!(f, "  All of them are in {vpc}{traffic}.")?;
        }
        let mut modes = self.devices.iter().map(|of| of.mode).chain(self.rules.iter().map(|rule| rule.mode));
        if modes.any(|mode| mode == Mode::Observe) {
            match &self.blind {
                Some(why) => {
                    writeln!(f, "Drops of this host's firewall cannot be seen, all traffic is ACCEPT: {why}")?
                }
                None => writeln!(f, "What this host's firewall drops is REJECT, all else ACCEPT.")?,
            }
        }
        let ((kind, id), account) = (next, &self.account);
        writeln!(
            f,
            "Next, a flow log (its role: docs/guides/linux-host.md):\n  \
             aws ec2 create-flow-logs --resource-type {kind} --resource-ids {id} --traffic-type ALL \\\n    \
             --log-group-name this-host --deliver-logs-permission-arn arn:aws:iam::{account}:role/flow-logs\n  \
             weir tail this-host"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_traffic_is_true_of_the_modes() {
        for (modes, passes, firewall) in [
            (&[Mode::Observe][..], true, true),
            (&[Mode::Evaluate], true, false),
            (&[Mode::Enforce], false, false),
            (&[Mode::Observe, Mode::Enforce], false, true),
        ] {
            let rules = modes.iter().map(|mode| Rule::new("veth*", *mode).unwrap()).collect();
            let mut observing = Observing { rules, vpc: Some(VpcId::from_random(1)), ..Observing::default() };
            let said = observing.to_string();
            assert_eq!(said.contains("traffic passes as before"), passes, "{modes:?}");
            assert_eq!(said.contains("firewall drops is REJECT"), firewall, "{modes:?}");
            observing.blind = Some("no BTF".to_owned());
            assert_eq!(observing.to_string().contains("ACCEPT: no BTF"), firewall, "{modes:?}");
        }
    }
}
