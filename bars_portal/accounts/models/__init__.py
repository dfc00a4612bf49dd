"""People and where they belong, how they prove who they are, and what is known of their access."""

from bars_portal.accounts.models.access import AccessReview as AccessReview
from bars_portal.accounts.models.access import BreakGlass as BreakGlass
from bars_portal.accounts.models.access import Invitation as Invitation
from bars_portal.accounts.models.factors import AuthenticatorApp as AuthenticatorApp
from bars_portal.accounts.models.factors import Passkey as Passkey
from bars_portal.accounts.models.factors import RecoveryCode as RecoveryCode
from bars_portal.accounts.models.people import ADDRESS_LENGTH as ADDRESS_LENGTH
from bars_portal.accounts.models.people import Cis2Identity as Cis2Identity
from bars_portal.accounts.models.people import Cis2Session as Cis2Session
from bars_portal.accounts.models.people import KeptForm as KeptForm
from bars_portal.accounts.models.people import Membership as Membership
from bars_portal.accounts.models.people import Organisation as Organisation
from bars_portal.accounts.models.people import SignedInSession as SignedInSession
from bars_portal.accounts.models.people import User as User
from bars_portal.accounts.models.people import ods_code_validator as ods_code_validator
