"""Addresses."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter
from waitlists.views import SubscriberViewSet

router = SimpleRouter(trailing_slash=False)
router.register("subscribers", SubscriberViewSet, basename="subscriber")

urlpatterns = [path("waitlists/<str:waitlist_id>/", include(router.urls))]
