//! How a command finds the server: AWS's own environment variables first, then
//! what the server left in its data folder.

use super::HintExt;
use crate::client::Client;
use crate::home::{Home, default_dir};
use anyhow::Result;
use std::path::PathBuf;

/// Options of every command that talks to a server.
#[derive(Debug, clap::Args)]
pub struct Server {
    /// Endpoint of the server; found in the data folder if not given
    #[arg(long, env = "AWS_ENDPOINT_URL", value_name = "URL")]
    endpoint_url: Option<String>,
    /// Region of the request
    #[arg(long, env = "AWS_REGION", value_name = "REGION")]
    region: Option<String>,
    /// Data folder of the server [default: /var/lib/weir for root, else ~/.local/share/weir]
    #[arg(long, env = "WEIR_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

/// What [`Server::address`] finds.
pub struct Address {
    pub url: String,
    pub region: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    /// Of temporary credentials.
    pub session_token: Option<String>,
}

impl Server {
    pub fn home(&self) -> Home {
        Home::at(self.data_dir.clone().unwrap_or_else(default_dir))
    }

    /// A client with the caller's AWS credentials, or the root key of the data folder.
    pub fn client(&self) -> Result<Client> {
        let Address { url, region, access_key_id, secret_access_key, .. } = self.address()?;
        Ok(Client::new(&url, &region, &access_key_id, &secret_access_key))
    }

    /// Where requests go and who signs them.
    pub fn address(&self) -> Result<Address> {
        let home = self.home();
        let (url, found_region) = match &self.endpoint_url {
            Some(url) => (url.clone(), None),
            None => {
                let endpoint = home
                    .read_endpoint()
                    .hint("start it with 'weir serve', or name it with --endpoint-url or --data-dir")?;
                (endpoint.url, Some(endpoint.region))
            }
        };
        let region = self.region.clone().or_else(|| std::env::var("AWS_DEFAULT_REGION").ok());
        let region = region.or(found_region).unwrap_or_else(|| "us-east-1".into());
        let keys = (std::env::var("AWS_ACCESS_KEY_ID"), std::env::var("AWS_SECRET_ACCESS_KEY"));
        let session_token = keys.0.is_ok().then(|| std::env::var("AWS_SESSION_TOKEN").ok()).flatten();
        let (access_key_id, secret_access_key) = match keys {
            (Ok(id), Ok(secret)) => (id, secret),
            _ => {
                let key = home
                    .read_root_access_key()
                    .hint("run 'eval \"$(weir env)\"' or set AWS_ACCESS_KEY_ID")?;
                (key.access_key_id, key.secret_access_key)
            }
        };
        Ok(Address { url, region, access_key_id, secret_access_key, session_token })
    }
}
