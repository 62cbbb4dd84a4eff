"""Tell people about an event: a feed entry and an e-mail each, as the table of announcements says."""

from dataclasses import dataclass
from uuid import UUID

from services.notifications.context import Context
from services.notifications.domain.announcements import Announcement, announcements_of
from services.notifications.domain.contact import Contact, contact_after, person_of
from services.notifications.domain.letter import WORTH_SENDING, Letter
from services.notifications.domain.notification import Notification
from services.notifications.domain.texts import name_text
from services.notifications.domain.words import Words
from services.notifications.store.unit_of_work import NotificationsUnitOfWork
from shared.ids import new_id
from shared.messaging.consumer import Delivery
from shared.messaging.envelope import Event
from shared.problems import ServiceUnavailable


@dataclass(frozen=True)
class _Told:
    """Somebody, and what they are told."""

    contact: Contact
    announcement: Announcement
    words: Words


async def announce_event(context: Context, delivery: Delivery[Event]) -> None:
    """Learn what the event says about its person's contact, then tell everybody whom it concerns.

    Raises `ServiceUnavailable` while auth's events have not told us yet who one of them is: the message is tried again.
    """
    async with context.unit_of_work(delivery) as work:
        await _learn(work, delivery)
        for announcement in announcements_of(delivery.message):
            if (await _contact(work, announcement.person_in(delivery.message))).gone:
                continue
            told = await _told(context, work, delivery.message, announcement)
            notification = _notification(work, delivery, told)
            await work.notifications.add(notification)
            if "email" in announcement.channels:
                await _mail(context, work, notification, told)


async def _learn(work: NotificationsUnitOfWork, delivery: Delivery[Event]) -> None:
    person = person_of(delivery.message)
    if person is not None:
        contact = contact_after(delivery.message, await work.contacts.find(person))
        if contact is None:
            raise _unknown(person)
        await work.contacts.remember(contact, delivery.envelope.time)


async def _told(context: Context, work: NotificationsUnitOfWork, event: Event, announcement: Announcement) -> _Told:
    contact = await _contact(work, announcement.person_in(event))
    values = announcement.values_of(event)
    for name, field in announcement.names:
        values[name] = name_text((await _contact(work, getattr(event, field))).full_name)
    return _Told(contact, announcement, context.renderer.words(announcement.template, contact.language, values))


async def _contact(work: NotificationsUnitOfWork, user_id: UUID) -> Contact:
    found = await work.contacts.find(user_id)
    if found is None:
        raise _unknown(user_id)
    return found


def _unknown(user_id: UUID) -> ServiceUnavailable:
    return ServiceUnavailable(f"Nothing is known yet about the user {user_id}.")


def _notification(work: NotificationsUnitOfWork, delivery: Delivery[Event], told: _Told) -> Notification:
    return Notification(
        id=new_id(),
        user_id=told.contact.user_id,
        event_id=delivery.envelope.id,
        type=delivery.message.type,
        title=told.words.title,
        body=told.words.summary,
        data=told.announcement.data_of(delivery.message),
        created_at=work.now,
    )


async def _mail(context: Context, work: NotificationsUnitOfWork, notification: Notification, told: _Told) -> None:
    contact = told.contact
    content = context.renderer.email(
        told.words, contact.language, full_name=name_text(contact.full_name), link=notification.data["path"]
    )
    letter = Letter(new_id(), told.announcement.template, contact.email, content, work.now, work.now + WORTH_SENDING)
    await work.emails.add(
        letter,
        dedupe_key=f"event:{notification.event_id}:{contact.user_id}",
        user_id=contact.user_id,
    )
