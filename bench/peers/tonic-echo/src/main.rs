//! tonic's side of the gRPC scenarios: `tonic-echo server`, and `tonic-echo client <port>`, in the harness's child protocol.
//! The messages and the service are what tonic-build makes of ../go-echo/echo.proto, written by hand so that no protoc is needed.

use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tonic::codegen::{http::uri::PathAndQuery, Body, BoxFuture, Context, Poll, Service, StdError};
use tonic::{Code, Request, Response, Status};

#[derive(Clone, PartialEq, prost::Message)]
struct Order {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    sku: String,
    #[prost(int32, tag = "3")]
    quantity: i32,
    #[prost(double, tag = "4")]
    price: f64,
    #[prost(string, tag = "5")]
    note: String,
    #[prost(string, repeated, tag = "6")]
    tags: Vec<String>,
}

fn nth(n: u64) -> Order {
    Order {
        id: "ord_01HZX3Q5".into(),
        sku: "SKU-4711".into(),
        quantity: 1 + (n % 100) as i32,
        price: 12.5,
        note: "leave at the door, ring twice please".into(),
        tags: vec!["fragile".into(), "eu".into(), "priority".into()],
    }
}

#[derive(Clone)]
struct Echo;

struct EchoMethod;

impl tonic::server::UnaryService<Order> for EchoMethod {
    type Response = Order;
    type Future = BoxFuture<Response<Order>, Status>;

    fn call(&mut self, request: Request<Order>) -> Self::Future {
        Box::pin(async move { Ok(Response::new(request.into_inner())) })
    }
}

impl<B> Service<http::Request<B>> for Echo
where
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = std::convert::Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        match request.uri().path() {
            "/bench.echo.v1.Echo/Echo" => Box::pin(async move {
                let codec = tonic::codec::ProstCodec::default();
                let mut grpc = tonic::server::Grpc::new(codec);
                Ok(grpc.unary(EchoMethod, request).await)
            }),
            _ => Box::pin(async move { Ok(Status::new(Code::Unimplemented, "").into_http()) }),
        }
    }
}

impl tonic::server::NamedService for Echo {
    const NAME: &'static str = "bench.echo.v1.Echo";
}

async fn serve() -> Result<(), StdError> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!(
        "{{\"ready\":{{\"port\":{}}}}}",
        listener.local_addr()?.port()
    );
    std::thread::spawn(|| {
        for line in std::io::stdin().lock().lines() {
            if line.is_err() {
                break;
            }
        }
        std::process::exit(0);
    });
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    tonic::transport::Server::builder()
        .add_service(Echo)
        .serve_with_incoming(incoming)
        .await?;
    Ok(())
}

type Client = tonic::client::Grpc<tonic::transport::Channel>;

/// What real callers send: a deadline that differs, a trace that is unique, and a long token.
fn rich(request: &mut Request<Order>, n: u64, token: &str, seed: &AtomicU64) {
    let next = || {
        let mut x = seed.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    };
    let trace = format!("00-{:016x}{:016x}-{:016x}-01", next(), next(), next());
    let metadata = request.metadata_mut();
    metadata.insert("traceparent", trace.parse().unwrap());
    metadata.insert("authorization", token.parse().unwrap());
    request.set_timeout(Duration::from_millis(20_000 + n % 9973));
}

async fn echo(client: &mut Client, request: Request<Order>) -> Result<Order, Status> {
    client
        .ready()
        .await
        .map_err(|error| Status::unknown(error.to_string()))?;
    let codec = tonic::codec::ProstCodec::default();
    let path = PathAndQuery::from_static("/bench.echo.v1.Echo/Echo");
    Ok(client.unary(request, path, codec).await?.into_inner())
}

async fn run(client: &Client, question: &serde_json::Value) -> serde_json::Value {
    let concurrency = question["concurrency"].as_u64().unwrap_or(1);
    let time =
        Duration::from_secs_f64(question["milliseconds"].as_f64().unwrap_or(1000.0) / 1000.0);
    let with_metadata = question["work"] == "rich";
    let token: Arc<str> = format!("Bearer {}", &"eyJhbGciOi".repeat(80)[..793]).into();
    let (next, seed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(42)));
    let started = Instant::now();
    let end = started + time;

    let callers: Vec<_> = (0..concurrency)
        .map(|_| {
            let (mut client, next, seed, token) =
                (client.clone(), next.clone(), seed.clone(), token.clone());
            tokio::task::spawn_local(async move {
                let (mut calls, mut errors, mut samples) = (0u64, 0u64, Vec::new());
                while Instant::now() < end {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let begun = Instant::now();
                    let order = nth(n);
                    let mut request = Request::new(order.clone());
                    if with_metadata {
                        rich(&mut request, n, &token, &seed);
                    }
                    match echo(&mut client, request).await {
                        Ok(reply) if reply == order => calls += 1,
                        _ => errors += 1,
                    }
                    if n % 16 == 0 {
                        samples.push(begun.elapsed().as_secs_f64() * 1000.0);
                    }
                }
                (calls, errors, samples)
            })
        })
        .collect();

    let (mut calls, mut errors, mut samples) = (0, 0, Vec::new());
    for caller in callers {
        let (good, bad, own) = caller.await.unwrap();
        calls += good;
        errors += bad;
        samples.extend(own);
    }
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| {
        samples
            .get((share * samples.len().saturating_sub(1) as f64) as usize)
            .copied()
            .unwrap_or(0.0)
    };
    serde_json::json!({
        "calls": calls, "errors": errors, "p50": at(0.5), "p99": at(0.99),
        "milliseconds": started.elapsed().as_secs_f64() * 1000.0,
    })
}

async fn drive(to: &str) -> Result<(), StdError> {
    let authority = match to.split_once("://") {
        Some((_, rest)) => rest.to_string(),
        None => format!("127.0.0.1:{to}"),
    };
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{authority}"))?
        .tcp_nodelay(true)
        .connect()
        .await?;
    let client = Client::new(channel);
    println!("{{\"ready\":{{}}}}");

    let (send, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if send.send(line).is_err() {
                break;
            }
        }
    });
    while let Some(line) = lines.recv().await {
        let question: serde_json::Value = serde_json::from_str(&line)?;
        let answer = run(&client, &question["run"]).await;
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn main() -> Result<(), StdError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let args: Vec<String> = std::env::args().collect();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        match (args.get(1).map(String::as_str), args.get(2)) {
            (Some("server"), None) => serve().await,
            (Some("client"), Some(to)) => drive(to).await,
            _ => Err("usage: tonic-echo server | tonic-echo client <port>".into()),
        }
    })
}
