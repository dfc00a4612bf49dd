"""What each step asks for and what is then done: one table for pages and commands."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bars_portal.audit.actor import Actor
from bars_portal.credentials.environments import Environment, Hosting, InvalidName, fqdn_of
from bars_portal.nhsuk.forms import NHSForm
from bars_portal.onboarding import forms
from bars_portal.onboarding.models import NoVault, Onboarding
from bars_portal.onboarding.selectors import records_of
from bars_portal.onboarding.services import proving, receiving, sending
from bars_portal.onboarding.services.recording import StepRefused
from bars_portal.onboarding.steps import StepName
from bars_portal.onboarding.tasks import announce_selftest


@dataclass(frozen=True)
class Deed:
    """Who does what, when."""

    onboarding: Onboarding
    form: NHSForm
    actor: Actor
    now: datetime
    # Of who waits for the end, as a command does; a page is told later.
    clock: Callable[[], datetime] | None = None

    @property
    def told(self) -> dict[str, Any]:
        return self.form.cleaned_data

    @property
    def who(self) -> dict[str, Any]:
        return {"onboarding": self.onboarding, "actor": self.actor, "now": self.now}


@dataclass(frozen=True)
class Act:
    """`name` "" is taking the step itself; others stand beside it on its page.

    `button` is its words, and `at_once` those where the simulator's desk answers at once.
    """

    step: StepName
    button: str
    form: Callable[[Environment], type[NHSForm]]
    run: Callable[[Deed], None]
    name: str = ""
    at_once: str = ""

    def words(self, place: Environment) -> str:
        return self.at_once if self.at_once and place.is_simulated else self.button


def _facts(deed: Deed) -> None:
    told = deed.told
    facts = sending.Facts(Hosting(told["hosting"]), told["name"], told["product"], told["suffix"])
    sending.state_facts(facts=facts, **deed.who)


def _key(deed: Deed) -> None:
    if deed.told["way"] == "make":
        sending.make_key(**deed.who)
        return
    pem, password = deed.told["pasted_key"].encode(), deed.told["key_password"]
    sending.bring_key(pem=pem, password=password, **deed.who)


def _register(deed: Deed) -> None:
    told = deed.told
    sending.register_key(
        app_name=told["app_name"],
        app_id=told.get("app_id", ""),
        api_key=told.get("pasted_api_key", ""),
        **deed.who,
    )


def _take_certificate(deed: Deed) -> None:
    form = deed.form
    assert isinstance(form, forms.CertificateForm)  # noqa: S101 - the table below says so
    compared = deed.told["root_thumbprint"]
    receiving.take_certificate(
        content=form.content(),
        password=deed.told["bundle_password"],
        thumbprints=[compared] if compared else [],
        **deed.who,
    )


def _self_test(deed: Deed) -> None:
    proving.begin_selftest(**deed.who)
    if deed.clock is not None:
        proving.run_selftest(onboarding=deed.onboarding, actor=deed.actor, clock=deed.clock, scenarios=[])
    else:
        announce_selftest(deed.onboarding, deed.actor)


def _always(form: type[NHSForm]) -> Callable[[Environment], type[NHSForm]]:
    return lambda _: form


def _registration(place: Environment) -> type[NHSForm]:
    return forms.RegistrationForm if place.is_simulated else forms.PublishedRegistrationForm


def _confirm(step: StepName) -> Callable[[Deed], None]:
    return lambda deed: receiving.confirm(step=step, **deed.who)


_N, _EMPTY = StepName, _always(forms.EmptyForm)
ACTS: tuple[Act, ...] = (
    Act(_N.FACTS, "Save", _always(forms.FactsForm), _facts),
    Act(_N.KEY, "Keep this key", _always(forms.KeyForm), _key),
    Act(_N.REGISTRATION, "Save, and show the mail", _registration, _register, at_once="Register it"),
    Act(_N.REGISTRATION, "It is registered", _EMPTY, _confirm(_N.REGISTRATION), "confirm"),
    Act(_N.TOKEN, "Get a token", _EMPTY, lambda deed: sending.try_token(**deed.who)),
    Act(
        _N.TOKEN,
        "Withdraw the older keys",
        _EMPTY,
        lambda deed: _nothing(sending.withdraw_old_keys(**deed.who)),
        "withdraw",
    ),
    Act(
        _N.NAME,
        "Use this name",
        _always(forms.NameForm),
        lambda deed: receiving.choose_name(fqdn=deed.told["fqdn"], **deed.who),
    ),
    Act(_N.REQUEST, "Make key and request", _EMPTY, lambda deed: receiving.make_request(**deed.who)),
    Act(
        _N.CERTIFICATE,
        "I have sent the request",
        _EMPTY,
        lambda deed: receiving.ask_for_certificate(**deed.who),
        "ask",
        "Ask the simulator's desk",
    ),
    Act(_N.CERTIFICATE, "Take it in", _always(forms.CertificateForm), _take_certificate),
    Act(
        _N.BUNDLE,
        "Write the file",
        _always(forms.BundleForm),
        lambda deed: receiving.write_bundle(password=deed.told["bundle_password"], **deed.who),
    ),
    Act(
        _N.NETWORK,
        "Save, and show the texts",
        _always(forms.NetworkForm),
        lambda deed: receiving.ask_for_name(address=deed.told["address"], **deed.who),
    ),
    Act(_N.NETWORK, "Name and firewall are set up", _EMPTY, _confirm(_N.NETWORK), "confirm"),
    Act(
        _N.CATALOGUE,
        "Enter it",
        _always(forms.CatalogueForm),
        lambda deed: receiving.enter_in_catalogue(
            port=deed.told["port"], services=deed.told["services"], **deed.who
        ),
    ),
    Act(_N.CATALOGUE, "It is entered", _EMPTY, _confirm(_N.CATALOGUE), "confirm"),
    Act(
        _N.CONNECTION,
        "Use this key and address",
        _always(forms.ConnectionForm),
        lambda deed: sending.use_connection(service_id=deed.told["service_id"], **deed.who),
    ),
    Act(
        _N.CONNECTION,
        "Stop sending as this organisation",
        _EMPTY,
        lambda deed: sending.stop_sending(**deed.who),
        "revoke",
    ),
    Act(
        _N.PARTNER_VIEW,
        "Ask through the proxy",
        _EMPTY,
        lambda deed: receiving.look_as_partner(**deed.who),
    ),
    Act(_N.SELF_TEST, "Run it", _EMPTY, _self_test),
    Act(
        _N.GO_LIVE,
        "Sign off",
        _always(forms.SignForm),
        lambda deed: proving.sign_off(name=deed.told["name"], role=deed.told["role"], **deed.who),
    ),
)
BY_NAME: Mapping[tuple[StepName, str], Act] = {(each.step, each.name): each for each in ACTS}


def _nothing(_found: object) -> None:
    """What it gave is on the page."""


def carry_out(act: Act, deed: Deed) -> str:
    """ "" when it was done, else why not, in a sentence."""
    try:
        act.run(deed)
    except StepRefused as refused:
        return refused.sentence
    except NoVault:
        return "No folder for keys is set. Set BARS_CREDENTIALS_FOLDER, and start the portal again."
    return ""


def suggestions(onboarding: Onboarding | None, step: StepName, place: Environment) -> dict[str, Any]:
    """What a form begins with: what was stated before, else what follows from other steps."""
    # A thumbprint is compared by the person each time.
    if onboarding is None or step is StepName.CERTIFICATE:
        return {}
    records = records_of(onboarding)
    known = dict(records[step].evidence) if step in records else {}
    if "services" in known and isinstance(known["services"], list):
        known["services"] = "\n".join(known["services"])
    if step is StepName.NAME and not known and StepName.FACTS in records:
        known = {"fqdn": _suggested_name(onboarding, dict(records[StepName.FACTS].evidence), place)}
    if step is StepName.REGISTRATION and not known and StepName.FACTS in records:
        known = {"app_name": records[StepName.FACTS].evidence["product"]}
    if step is StepName.CONNECTION and not known and StepName.CATALOGUE in records:
        known = {"service_id": next(iter(records[StepName.CATALOGUE].evidence["services"]), "")}
    if step is StepName.NETWORK and not known and place.is_simulated:
        known = {"address": "127.0.0.1"}
    return known


def _suggested_name(onboarding: Onboarding, facts: dict[str, Any], place: Environment) -> str:
    try:
        return fqdn_of(
            place,
            Hosting(facts["hosting"]),
            ods=onboarding.organisation.ods_code,
            name=facts["name"],
            suffix=facts["suffix"],
        )
    except InvalidName:
        return ""
