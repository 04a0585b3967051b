//! The clinic as its users meet it: what it answers, what it keeps, how it breaks, mends and stops.

mod breakages;
mod endpoints;
mod process;
mod writes;

use std::time::Duration;

use clinic::inspection::{Violations, inspect};
use clinic::{Breakage, Options, Running};
use reqwest::{Method, RequestBuilder, Response};
use tempfile::TempDir;

/// Enough writes for patients and attachments to be among them.
const MANY_WRITES: u64 = 450;

/// A clinic in a directory of its own, and a client of it.
struct Clinic {
    running: Running,
    client: reqwest::Client,
    /// Removed with the clinic.
    directory: TempDir,
}

impl Clinic {
    async fn start(breakages: &[Breakage]) -> Self {
        Self::start_in(TempDir::new().unwrap(), breakages).await
    }

    async fn start_in(directory: TempDir, breakages: &[Breakage]) -> Self {
        let running = clinic::start(Options {
            directory: directory.path().to_owned(),
            listen: "127.0.0.1:0".parse().unwrap(),
            writes_per_second: 1_000,
            breakages: breakages.to_vec(),
            seed: 7,
        });
        Self {
            running: running.await.unwrap(),
            client: client(Duration::from_secs(30)),
            directory,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.running.address());
        self.client.request(method, url)
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn switch(&self, verb: &str, name: &str) {
        let path = format!("/{verb}/{name}");
        let response = self.request(Method::POST, &path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }

    fn inspect(&self) -> Violations {
        inspect(self.running.places()).unwrap()
    }
}

fn client(timeout: Duration) -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().timeout(timeout);
    builder.build().unwrap()
}
