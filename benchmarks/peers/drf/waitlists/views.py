"""The two calls."""

from django.shortcuts import get_object_or_404
from rest_framework import mixins, status, viewsets
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from waitlists.models import Subscriber, Waitlist
from waitlists.permissions import HasOrganisationAPIKey
from waitlists.serializers import SignupSerializer, SubscriberSerializer


class Pages(PageNumberPagination):
    """25 on a page, with the exact count that Django's paginator takes."""

    page_size = 25
    page_size_query_param = "limit"
    max_page_size = 200


class SubscriberViewSet(mixins.ListModelMixin, viewsets.GenericViewSet):
    """The subscribers of one waitlist of the caller's organisation."""

    permission_classes = [HasOrganisationAPIKey]
    serializer_class = SubscriberSerializer
    pagination_class = Pages

    def get_waitlist(self) -> Waitlist:
        """The waitlist of the address; 404 where it is not the caller's."""
        organisation_id = self.request.api_key.organisation_id
        return get_object_or_404(Waitlist, public_id=self.kwargs["waitlist_id"], organisation_id=organisation_id)

    def get_queryset(self):  # noqa: ANN201
        """The line, in order."""
        return Subscriber.objects.filter(waitlist=self.get_waitlist()).in_line()

    def create(self, request: Request, **_kwargs: str) -> Response:
        """Join: 201, or 200 for a known address."""
        waitlist = self.get_waitlist()
        signup = SignupSerializer(data=request.data, context=self.get_serializer_context())
        signup.is_valid(raise_exception=True)
        email = signup.validated_data["email"]
        known = waitlist.subscribers.filter(email_identity=email.lower()).first()
        if known is not None:
            return Response(SignupSerializer(known).data)
        joined = waitlist.join(email, request.api_key, signup.validated_data.get("referred_by"))
        return Response(SignupSerializer(joined).data, status=status.HTTP_201_CREATED)
