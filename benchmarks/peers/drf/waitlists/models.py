"""Organisations, their API keys, waitlists, subscribers and the activity log."""

import secrets

from django.db import models, transaction
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
PAID_PLANS = {"pro", "team"}


def new_code() -> str:
    """A referral code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(6))


class Organisation(models.Model):
    """A tenant."""

    name = models.CharField(max_length=100)
    plan = models.CharField(max_length=16, default="free")


class OrganisationAPIKeyManager(BaseAPIKeyManager):
    """Looks a key up together with its organisation."""

    def get_usable_keys(self) -> models.QuerySet:
        """The keys that are not revoked."""
        return super().get_usable_keys().select_related("organisation")


class OrganisationAPIKey(AbstractAPIKey):
    """A key of an organisation, as the package's documentation makes one."""

    objects = OrganisationAPIKeyManager()

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="api_keys")
    scopes = models.JSONField(default=list)


class Waitlist(models.Model):
    """A line that people join."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="waitlists")
    public_id = models.CharField(max_length=15, unique=True)
    referral_skip = models.IntegerField(default=5)
    next_join_number = models.BigIntegerField(default=1)

    @transaction.atomic
    def join(self, email: str, key: OrganisationAPIKey, referred_by: "Subscriber | None" = None) -> "Subscriber":
        """Put somebody at the end of the line, credit who referred them, and record it."""
        waitlist = Waitlist.objects.select_for_update().get(pk=self.pk)
        subscriber = waitlist.subscribers.create(
            email=email,
            email_identity=email.lower(),
            join_number=waitlist.next_join_number,
            referral_code=new_code(),
            referred_by=referred_by,
        )
        waitlist.next_join_number += 1
        waitlist.save(update_fields=["next_join_number"])
        if referred_by is not None:
            Subscriber.objects.filter(pk=referred_by.pk).update(
                priority_score=F("priority_score") + waitlist.referral_skip, referral_count=F("referral_count") + 1
            )
        ActivityEvent.objects.create(
            organisation_id=waitlist.organisation_id,
            action="subscriber.created",
            actor_name=key.name,
            actor_prefix=key.prefix,
            target_id=str(subscriber.pk),
            target_label=email,
            details={"waitlist_id": waitlist.public_id},
        )
        return subscriber


class SubscriberQuerySet(models.QuerySet):
    """Subscribers with their places."""

    def in_line(self) -> "SubscriberQuerySet":
        """In line order, each with their place in it."""
        place = Window(RowNumber(), order_by=[F("line_key").asc(), F("join_number").desc()])
        return self.annotate(position=place).order_by("line_key", "-join_number")


class Subscriber(models.Model):
    """A place in a line."""

    waitlist = models.ForeignKey(Waitlist, on_delete=models.CASCADE, related_name="subscribers", db_index=False)
    email = models.CharField(max_length=320)
    email_identity = models.CharField(max_length=320)
    join_number = models.BigIntegerField()
    priority_score = models.BigIntegerField(default=0)
    line_key = models.GeneratedField(
        expression=F("join_number") - F("priority_score"), output_field=models.BigIntegerField(), db_persist=True
    )
    referral_code = models.CharField(max_length=6)
    referral_count = models.IntegerField(default=0)
    referred_by = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, db_index=False)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        """Indexes for every look-up and for the line order."""

        constraints = [
            models.UniqueConstraint(fields=["waitlist", "email_identity"], name="one_address"),
            models.UniqueConstraint(fields=["waitlist", "referral_code"], name="one_code"),
        ]
        indexes = [models.Index(fields=["waitlist", "line_key", "-join_number"], name="line")]

    @property
    def place(self) -> int:
        """The place in the line, where no query has told it."""
        is_ahead = Q(line_key__lt=self.line_key) | Q(line_key=self.line_key, join_number__gt=self.join_number)
        return Subscriber.objects.filter(is_ahead, waitlist_id=self.waitlist_id).count() + 1


class ActivityEvent(models.Model):
    """One change, and who made it."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE)
    at = models.DateTimeField(auto_now_add=True)
    action = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=320)
    actor_prefix = models.CharField(max_length=16)
    target_id = models.CharField(max_length=64)
    target_label = models.CharField(max_length=320)
    details = models.JSONField(default=dict)

    class Meta:
        """Read newest first, per organisation."""

        indexes = [models.Index(fields=["organisation", "at"], name="newest")]
