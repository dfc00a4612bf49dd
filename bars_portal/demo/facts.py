"""What the demo is made of: organisations, people, services, test patients; all of it test data."""

from dataclasses import dataclass

SENDER_ODS, SENDER_NAME = "Y00111", "Northern 111"
HOST_ODS, HOST_NAME = "RIV01", "Riverside Health"
TKW_ODS, TKW_NAME = "X26", "NHS test services (TKW)"

# Our own reply address: where answers to the sending organisation's messages go.
REPLY_SERVICE_ID = "2000099000"
SUPPLIER_NAME, SUPPORT_CONTACT = "BaRS portal project", "0113 496 0000"
# Who answers what the hosted services receive.
ASSESSOR = "assessor"
# pragma: allowlist nextline secret - the same as below
PASSWORD = "demo-only"  # noqa: S105 - the published login of a demo on loopback
KEY_ID = "BarsPortal-SIMULATOR-1"

SLOT_DAYS = 21


CIS2_CLIENT_ID = "bars-portal-demo"
# A client of our own REST API with every scope.
API_CLIENT_ID, API_CLIENT_NAME = "app_demo", "Demo application"
# The same of the organisation that hosts the services: it works what they receive.
HOST_API_CLIENT_ID, HOST_API_CLIENT_NAME = "app_host", "Demo ward system"
# Whom the mock CIS2 issuer knows, and nobody has given an account.
CIS2_STRANGER = ("Sam", "Stranger")
# Who signs in there by a password alone.
CIS2_UNSURE = ("Pat", "Password")


_SNOMED_ROLES = {
    "clinician": ("158965000", "Medical practitioner"),
    "clerk": ("224608005", "Administrative healthcare staff"),
}


@dataclass(frozen=True)
class DemoUser:
    username: str
    first_name: str
    last_name: str
    role: str
    ods_codes: tuple[str, ...]

    @property
    def snomed_role(self) -> tuple[str, str]:
        """Code and words of PractitionerRole.code; empty for those who send nothing about patients."""
        return _SNOMED_ROLES.get(self.role, ("", ""))

    @property
    def cis2_subject(self) -> str:
        """The user id at the mock CIS2 issuer."""
        return f"demo-{self.username}"


USERS = (
    DemoUser("clinician", "Chris", "Linnell", "clinician", (SENDER_ODS,)),
    DemoUser("clerk", "Kit", "Lerke", "clerk", (SENDER_ODS,)),
    DemoUser("manager", "Morgan", "Reyes", "manager", (HOST_ODS,)),
    DemoUser(ASSESSOR, "Asha", "Sesay", "clinician", (HOST_ODS,)),
    DemoUser("engineer", "Ellis", "Ngata", "engineer", (SENDER_ODS, HOST_ODS)),
    DemoUser("auditor", "Audrey", "Torres", "auditor", (SENDER_ODS, HOST_ODS)),
    # Of the organisation that runs the installation.
    DemoUser("installer", "Ines", "Tallis", "installer", (SENDER_ODS,)),
)


@dataclass(frozen=True)
class DemoService:
    service_id: str
    name: str
    service_type: str
    ods_code: str
    use_cases: tuple[str, ...]
    hosted: bool = True
    takes_bookings: bool = True
    takes_referrals: bool = False
    practitioner: tuple[str, str, str, str] | None = None  # title, given, family, gender


_ED = ("a1t1", "a1t3", "a1t5", "a2t1", "a2t3")
_UTC = ("a1t2", "a1t4", "a1t6", "a2t2", "a2t4")
_CAS = ("a3t1", "a4t1", "a4t2", "a4t3")
_PHARMACY = ("a5t1", "a5t2", "a5t3")
_AMBULANCE = ("a6t1", "a6t2", "a6t3")
_SDEC = ("a1t7", "a1t8", "a1t9")
_ALL = (*_ED, *_UTC, *_SDEC, *_CAS, *_PHARMACY, "referraltopharmacy", *_AMBULANCE)

_HOSTED = (
    DemoService("2000099001", "Riverside Emergency Department", "ed", HOST_ODS, _ED, takes_referrals=True),
    DemoService(
        "2000099002",
        "Riverside Urgent Treatment Centre",
        "utc",
        HOST_ODS,
        _UTC,
        takes_referrals=True,
        practitioner=("Dr", "Priya", "Anand", "female"),
    ),
    DemoService(
        "2000099003", "Riverside Clinical Assessment Service", "cas", HOST_ODS, _CAS, takes_referrals=True
    ),
    DemoService("2000099004", "Riverside Pharmacy", "pharmacy", HOST_ODS, _PHARMACY, takes_referrals=True),
    DemoService(
        "2000099005", "Riverside Ambulance Control", "ambulance", HOST_ODS, _AMBULANCE, takes_referrals=True
    ),
    DemoService("2000099999", "Riverside Hub", "hub", HOST_ODS, _ALL, takes_referrals=True),
    # Accepts no use case of its own: requests are refused there, replies of every use case let through.
    DemoService(REPLY_SERVICE_ID, "Northern 111 replies", "other", SENDER_ODS, (), takes_bookings=False),
)
# The UserTest services of the test directory, played by the simulator.
_TKW_NUMBERS = {
    "2000072489": "",
    "2000073917": " 2",
    "1503499715": " 3",
    "2000081230": " 4",
    "2000093816": " 5",
    "1374839566": " 6",
    "2000011147": " 7",
    "2000076289": " 8",
    "2000003366": " 9",
    "2000071898": " 12",
    "2000159909": " 13",
    "2000159910": " 14",
}
# What else than bookings and referrals of emergency departments they take.
_TKW_USE_CASES = {
    "2000072489": _ALL,
    "2000076289": (*_ED, "a3t1"),
    "2000003366": ("a4t1", "a4t2", "a4t3"),
    "2000159909": _AMBULANCE,
    "2000159910": _AMBULANCE,
}
_TKW = tuple(
    DemoService(
        service_id,
        f"TESTING ONLY BaRS Test Service (TKW{number})",
        "other",
        TKW_ODS,
        _TKW_USE_CASES.get(service_id, _ED),
        hosted=False,
        takes_referrals=True,
    )
    for service_id, number in _TKW_NUMBERS.items()
)
SERVICES = (*_HOSTED, *_TKW)
ADDRESS_LINES, POSTCODE = ["4 Riverside Way", "Leeds"], "LS1 4AP"

# Published test patients of the integration environment: family, given, born, NHS number, gender, postcode.
TEST_PATIENTS = (
    ("DYBALL", "Adrian", "1932-10-29", "9658499007", "male", "DN17 4LR"),
    ("FOWLER", "Frank", "1921-06-07", "9658499015", "male", "DN17 1HJ"),
    ("SWAIN", "Dudley", "1931-10-03", "9658499023", "male", "DN19 7EQ"),
    ("WEBBER", "Jeremy", "1934-12-19", "9658499031", "male", "DN16 3JH"),
    ("MURRY", "Josiah", "1918-08-10", "9658499058", "male", "DN8 5SP"),
    ("MARSH", "Irving", "1937-06-15", "9658499066", "male", "DN17 2QU"),
    ("POVAH", "Horton", "1938-07-15", "9658499074", "male", "DN17 1UU"),
    ("McCANN", "Levi", "1934-07-08", "9658499082", "male", "DN16 2LH"),
    ("DRIVER", "Claude", "1934-04-29", "9658499090", "male", "DN18 6BW"),
    ("LYMER", "Peter", "1948-09-07", "9658499104", "male", "DN16 1SA"),
    ("TAFT", "Daphne", "1919-03-16", "9658499112", "female", "DN16 2QY"),
    ("MCGURK", "Verena", "1940-03-28", "9658499120", "female", "DN17 2NB"),
    ("GILROY", "Ellice", "1929-02-24", "9658499139", "female", "DN20 8PT"),
    ("COOK", "Violet", "1918-02-07", "9658499147", "female", "DN20 0JH"),
    ("COYNE", "Joyce", "1933-01-22", "9658499155", "female", "DN17 1TR"),
    ("LUMAS", "Hariot", "1948-04-23", "9658499163", "female", "DN15 7QQ"),
    ("BONNEY", "Lynda", "1949-03-21", "9658499171", "female", "DN17 1XR"),
)
