"""The client of Queuekey's customer API: `Queuekey`, or `AsyncQueuekey` where you await.

    with Queuekey() as queuekey:  # QUEUEKEY_TOKEN and QUEUEKEY_URL
        for subscriber in queuekey.list("wl_…"):
            print(subscriber.position, subscriber.email)

Whatever goes wrong is a child of `QueuekeyError`.
"""

from queuekey.answers import (
    BatchOutcome,
    BatchResult,
    CreatedSubscriber,
    ExportedSubscriber,
    FieldError,
    InvalidResult,
    JoinedResult,
    Key,
    Limits,
    ManyOutcome,
    Organisation,
    Page,
    Problem,
    Subscriber,
)
from queuekey.async_client import AsyncQueuekey
from queuekey.calls import NewSubscriber
from queuekey.client import Queuekey
from queuekey.errors import (
    ApiError,
    BodyTooLarge,
    ConfigurationError,
    ConnectionFailed,
    FeatureNotAllowed,
    InsufficientScope,
    InternalError,
    InvalidRequest,
    InvalidToken,
    MethodNotAllowed,
    MissingToken,
    NotFound,
    QueuekeyError,
    RateLimited,
    TimedOut,
    Unavailable,
    UnexpectedAnswer,
    UnsupportedMediaType,
    ValidationFailed,
)
from queuekey.retry import Retry
from queuekey.version import __version__

__all__ = [
    "ApiError",
    "AsyncQueuekey",
    "BatchOutcome",
    "BatchResult",
    "BodyTooLarge",
    "ConfigurationError",
    "ConnectionFailed",
    "CreatedSubscriber",
    "ExportedSubscriber",
    "FeatureNotAllowed",
    "FieldError",
    "InsufficientScope",
    "InternalError",
    "InvalidRequest",
    "InvalidResult",
    "InvalidToken",
    "JoinedResult",
    "Key",
    "Limits",
    "ManyOutcome",
    "MethodNotAllowed",
    "MissingToken",
    "NewSubscriber",
    "NotFound",
    "Organisation",
    "Page",
    "Problem",
    "Queuekey",
    "QueuekeyError",
    "RateLimited",
    "Retry",
    "Subscriber",
    "TimedOut",
    "Unavailable",
    "UnexpectedAnswer",
    "UnsupportedMediaType",
    "ValidationFailed",
    "__version__",
]
