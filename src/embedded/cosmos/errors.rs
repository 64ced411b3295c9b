//! Refusals in the service's own shape: `{"code":"…","message":"…"}` with the sub-status header.

use http::StatusCode;
use serde_json::json;

use super::answer::Answer;
use super::container::Container;
use super::request::Ask;

/// Sub-status of a successful or plain answer.
const NO_SUB_STATUS: u32 = 0;

/// An error answer; `code` is the service's name of the status.
pub(super) fn refusal(status: StatusCode, sub_status: u32, code: &str, message: &str) -> Answer {
    let body = json!({ "code": code, "message": message }).to_string();
    let mut answer = Answer::json(status, body);
    if sub_status != NO_SUB_STATUS {
        answer.set("x-ms-substatus", sub_status.to_string());
    }
    answer.set("x-ms-request-charge", "0");
    answer
}

/// 400 with the reason.
pub(super) fn bad_request(message: &str) -> Answer {
    refusal(StatusCode::BAD_REQUEST, NO_SUB_STATUS, "BadRequest", message)
}

/// 404 of a document.
pub(super) fn not_found() -> Answer {
    refusal(
        StatusCode::NOT_FOUND,
        NO_SUB_STATUS,
        "NotFound",
        "Message: {\"Errors\":[\"Resource Not Found. Learn more: https://aka.ms/cosmosdb-tsg-not-found\"]}",
    )
}

/// 409 of a document that is there already.
pub(super) fn conflict() -> Answer {
    refusal(
        StatusCode::CONFLICT,
        NO_SUB_STATUS,
        "Conflict",
        "Message: {\"Errors\":[\"Resource with specified id or name already exists.\"]}",
    )
}

/// 412 of an etag or a condition that does not hold.
pub(super) fn precondition_failed() -> Answer {
    refusal(
        StatusCode::PRECONDITION_FAILED,
        NO_SUB_STATUS,
        "PreconditionFailed",
        "Message: {\"Errors\":[\"One of the specified pre-condition is not met\"]}",
    )
}

/// 410 of a range that has split or merged: the client reads the list of ranges again.
pub(super) fn gone() -> Answer {
    refusal(
        StatusCode::GONE,
        1002,
        "Gone",
        "The requested resource is no longer available at the server: the partition key range has split or merged.",
    )
}

/// 400 when the client means a container of the same name that is gone.
pub(super) fn wrong_container(ask: &Ask, container: &Container) -> Option<Answer> {
    let intended = ask.header("x-ms-cosmos-intended-collection-rid")?;
    (intended != container.rid).then(|| {
        refusal(
            StatusCode::BAD_REQUEST,
            1024,
            "BadRequest",
            "The collection resource ID does not match the intended collection resource ID.",
        )
    })
}

/// 400 of a document whose partition key is not the header's.
pub(super) fn wrong_key() -> Answer {
    refusal(
        StatusCode::BAD_REQUEST,
        1001,
        "BadRequest",
        "PartitionKey extracted from document doesn't match the one specified in the header. Learn more: https://aka.ms/CosmosDB/sql/errors/wrong-pk-value",
    )
}

/// 413 of a request over the service's limit of 2 MB.
pub(super) fn too_large() -> Answer {
    refusal(
        StatusCode::PAYLOAD_TOO_LARGE,
        NO_SUB_STATUS,
        "RequestEntityTooLarge",
        "Message: {\"Errors\":[\"Request size is too large\"]}",
    )
}

/// 500 for what should not happen; the reason is ours, never a document's content.
pub(super) fn internal(message: &str) -> Answer {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, NO_SUB_STATUS, "InternalServerError", message)
}
