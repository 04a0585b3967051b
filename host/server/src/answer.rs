//! Masks secrets in every answer, whatever route it comes from.

use crate::MaskJson;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

/// The answer with every secret masked.
pub(crate) async fn masked(State(mask): State<MaskJson>, answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    // An answer is in memory as a whole already.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    head.headers.remove(axum::http::header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(mask(bytes.into())))
}

#[cfg(test)]
mod tests {
    use crate::Socket;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::UnixStream;
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn every_answer_is_masked_and_has_the_length_of_what_is_left() {
        let directory = tempfile::tempdir().unwrap();
        let socket = Socket::bind(directory.path()).unwrap();
        let stop = CancellationToken::new();
        let mask = |text: Vec<u8>| {
            assert_eq!(text, env!("CARGO_PKG_VERSION").as_bytes());
            b"[redacted]".to_vec()
        };
        let nobody = Arc::new(|_| unreachable!("the version is nobody's secret"));
        let serving = tokio::spawn(socket.serve(nobody, Arc::new(mask), stop.clone()));
        let mut client = UnixStream::connect(crate::socket_path(directory.path()))
            .await
            .unwrap();
        let question = b"GET /version HTTP/1.1\r\nhost: sopwith\r\nconnection: close\r\n\r\n";
        client.write_all(question).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("content-length: 10\r\n"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n[redacted]"), "{answer}");
        stop.cancel();
        serving.await.unwrap().unwrap();
    }
}
