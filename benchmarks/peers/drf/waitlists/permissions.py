"""Who may call: a live key of an organisation on a paid plan, with the scope that the action needs."""

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework_api_key.permissions import BaseHasAPIKey

from waitlists.models import PAID_PLANS, OrganisationAPIKey


class HasOrganisationAPIKey(BaseHasAPIKey):
    """Looks the key up once and keeps it on the request, where the documentation would look it up twice."""

    model = OrganisationAPIKey

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether the key is live and may do what it asks for."""
        try:
            key = OrganisationAPIKey.objects.get_from_key(self.get_key(request) or "")
        except OrganisationAPIKey.DoesNotExist:
            return False
        if key.has_expired:
            return False
        if key.organisation.plan not in PAID_PLANS:
            raise PermissionDenied("The plan does not have the API.")
        scope = "subscribers:read" if request.method == "GET" else "subscribers:write"
        request.api_key = key
        return scope in key.scopes
