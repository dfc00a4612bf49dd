"""Where things are: the postcode table, and how the database tells places apart."""

from django.db import models


class Compact(models.Func):
    """A postcode without blanks, in capitals: the key of the postcode table."""

    template = "upper(replace(%(expressions)s, ' ', ''))"
    arity = 1
    output_field = models.TextField()


class Place(models.Func):
    """`Place(longitude, latitude)` as a point, which an index finds the neighbours of."""

    function = "point"
    arity = 2
    output_field = models.TextField()


class Postcode(models.Model):
    """A row of the ONS Postcode Directory: enough to tell a distance."""

    # Without blanks, in capitals: LS14AP. Its primary key brings the index that serves searches by prefix.
    code = models.CharField(max_length=8, primary_key=True)
    latitude = models.FloatField()
    longitude = models.FloatField()

    def __str__(self) -> str:
        return self.code
