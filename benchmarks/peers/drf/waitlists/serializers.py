"""Subscribers as JSON."""

from rest_framework import serializers

from waitlists.models import Subscriber


class SubscriberSerializer(serializers.ModelSerializer):
    """A subscriber in a list, whose place the query told."""

    position = serializers.IntegerField(read_only=True)

    class Meta:
        """What is shown."""

        model = Subscriber
        fields = ["id", "email", "joined_at", "position", "referral_code", "referral_count"]


class SignupSerializer(serializers.ModelSerializer):
    """Somebody who joins; shown with the place that they got."""

    email = serializers.EmailField(max_length=320)
    position = serializers.IntegerField(source="place", read_only=True)
    referred_by = serializers.SlugRelatedField(
        slug_field="referral_code", queryset=Subscriber.objects.all(), required=False, allow_null=True, write_only=True
    )

    class Meta:
        """What is taken and shown."""

        model = Subscriber
        fields = ["id", "email", "joined_at", "position", "referral_code", "referral_count", "referred_by"]
        read_only_fields = ["joined_at", "referral_code", "referral_count"]
