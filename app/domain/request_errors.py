"""The refusals of a request for its form, or for want of room, before anyone looks at what it asks."""

from app.domain.refusal import Refusal


class MalformedRequest(Refusal):
    """This is not an HTTP/1.1 request that the server can read."""

    code = "malformed_request"


class NotAcceptable(Refusal):
    """None of the media types that the request accepts can be given."""

    code = "not_acceptable"


class MethodNotAllowed(Refusal):
    """This address does not answer that method."""

    code = "method_not_allowed"


class BodyTooLarge(Refusal):
    """The body is larger than this address accepts."""

    code = "body_too_large"


class UnsupportedMediaType(Refusal):
    """The body's media type, charset or encoding is not one that this address reads."""

    code = "unsupported_media_type"


class HeadTooLarge(Refusal):
    """The request line and the headers are larger than this server accepts."""

    code = "head_too_large"


class RequestTimeout(Refusal):
    """The request did not arrive whole in the time that it is given."""

    code = "request_timeout"


class TooManyRequests(Refusal):
    """More requests than this server can take just now."""

    code = "too_many_requests"
