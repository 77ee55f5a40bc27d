"""The report's words, in bokmål and in English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What stands on the page; `{…}` is filled in there."""

    language: str
    decimal: str
    months: tuple[str, ...]
    unknown: str
    hidden: str
    title: str
    period: str
    made: str
    skip: str
    key_figures: str
    none: str
    total: str
    notes: str
    with_phone: str
    with_diagnosis: str
    in_work_up: str
    repeats: str
    relapse: str
    changes: str
    cancellations: str
    answers: str
    answered: str
    median: str
    p95: str
    refused: str
    overdue: str
    waiting: str
    failed: str
    replies: str
    replies_waiting: str
    lay: str
    lay_p95: str
    month: str
    department: str
    municipality: str
    codes: str
    code: str
    meaning: str
    count: str
    by: tuple[str, str, str]
    """By month, department, municipality"""
    notes_chart: str
    notes_chart_text: str
    answers_chart: str
    answers_chart_text: str
    quality: str
    quality_chart_text: str
    distress: str
    distress_text: str
    score: str
    no_score: str
    band: str
    windows: str
    windows_text: str
    windows_none: str
    point: str
    explained: str
    explanations: tuple[tuple[str, str], ...]
    chart_of: str
    """What a picture is told as to those who do not see it"""
    units: tuple[str, str, str, str]
    """Seconds, minutes, hours, days"""


BOKMAL = Words(
    language="nb",
    decimal=",",
    months=("jan.", "feb.", "mars", "apr.", "mai", "juni", "juli", "aug.", "sep.", "okt.", "nov.", "des."),
    unknown="ukjent",
    hidden="skjult",
    title="Pakkeforløp hjem: hvordan går det?",
    period="Notater mottatt {first} til {last}",
    made="Laget {at}. Rapporten inneholder ingen opplysninger om enkeltpasienter.",
    skip="Til nøkkeltallene",
    key_figures="Nøkkeltall",
    none="Ingen notater er sendt i perioden.",
    total="Alle",
    notes="Notater sendt",
    with_phone="Med telefonnummer",
    with_diagnosis="Med diagnose",
    in_work_up="Under utredning",
    repeats="Gjentatt innen fristen",
    relapse="Tilbakefall",
    changes="Endringer",
    cancellations="Kanselleringer",
    answers="Kvitteringer og svar",
    answered="Kvittert positivt",
    median="Kvitteringstid, median",
    p95="Kvitteringstid, 95 %",
    refused="Avvist",
    overdue="Over fristen",
    waiting="Venter på kvittering",
    failed="Ikke levert",
    replies="Svar fra kommune og fastlege",
    replies_waiting="Svar som ligger",
    lay="Svar lå, median",
    lay_p95="Svar lå, 95 %",
    month="Måned",
    department="Avdeling",
    municipality="Kommune",
    codes="Hvorfor meldinger ble avvist",
    code="Kode",
    meaning="Betydning",
    count="Antall",
    by=("Måned for måned", "Avdelinger", "Kommuner"),
    notes_chart="Notater sendt, måned for måned",
    notes_chart_text="Antall nye notater som ble sendt videre til kommunen, etter måneden de kom inn.",
    answers_chart="Kvitteringstid, måned for måned",
    answers_chart_text="Halvparten av kvitteringene kom innen den blå søylen, 95 av 100 innen den oransje.",
    quality="Opplysninger som følger med",
    quality_chart_text="Andel av notatene som har telefonnummer til pasienten og diagnose. Uten "
    "telefonnummer "
    "kan ikke kommunen ringe.",
    distress="Påkjenning (0–10)",
    distress_text="Hvor mye pasientene selv har svart at de plages, fra 0 (ikke i det hele tatt) til 10. "
    "Fra 4 og oppover bør noen se nærmere på det.",
    score="Skår",
    no_score="Ikke oppgitt",
    band="Skår {band}",
    windows="Samhandlingspunkt 2 og 3 framover",
    windows_text="Så mange pasienter får vinduet sitt åpnet i hver av de neste månedene.",
    windows_none="Ingen vinduer åpner i de neste månedene.",
    point="Samhandlingspunkt",
    explained="Slik er tallene laget",
    explanations=(
        (
            "Notat sendt",
            (
                "Et notat telles én gang, den måneden det kom inn, når det første gang er sendt "
                "til kommunen. "
                "Senere endringer og kanselleringer telles for seg."
            ),
        ),
        (
            "Kvitteringstid",
            (
                "Fra notatet ble mottatt til kommunen eller fastlegen kvitterte positivt. "
                "Median: halvparten gikk "
                "fortere. 95 %: 95 av 100 gikk fortere."
            ),
        ),
        ("Over fristen", "Mottakeren har ikke kvittert innen fristen, eller gjorde det for sent."),
        (
            "Svar lå",
            (
                "Fra svaret fra kommunen eller fastlegen kom til sykehuset, eller en person, "
                "hadde tatt imot det."
            ),
        ),
        (
            "Skjult",
            (
                "Antall fra 1 til 4 vises ikke for påkjenning, tilbakefall og utredning, og "
                "heller ikke så mange "
                "andre tall som må til for at ingen sum røper dem."
            ),
        ),
    ),
    chart_of="Diagram. {text} Tallene står i tabellen under.",
    units=("s", "min", "t", "d"),
)

ENGLISH = Words(
    language="en",
    decimal=".",
    months=("Jan", "Feb", "Mar", "Apr", "May", "June", "July", "Aug", "Sep", "Oct", "Nov", "Dec"),
    unknown="unknown",
    hidden="hidden",
    title="Pakkeforløp hjem: how is it going?",
    period="Notes received {first} to {last}",
    made="Made {at}. The report holds nothing about single patients.",
    skip="To the key figures",
    key_figures="Key figures",
    none="No notes were sent in this period.",
    total="All",
    notes="Notes sent",
    with_phone="With telephone number",
    with_diagnosis="With diagnosis",
    in_work_up="In work-up",
    repeats="Repeated too soon",
    relapse="Relapse",
    changes="Changes",
    cancellations="Cancellations",
    answers="Acknowledgements and replies",
    answered="Acknowledged",
    median="Time to acknowledge, median",
    p95="Time to acknowledge, 95%",
    refused="Refused",
    overdue="Overdue",
    waiting="Not answered yet",
    failed="Not delivered",
    replies="Replies from municipality and GP",
    replies_waiting="Replies that lie",
    lay="Replies lay, median",
    lay_p95="Replies lay, 95%",
    month="Month",
    department="Department",
    municipality="Municipality",
    codes="Why messages were refused",
    code="Code",
    meaning="Meaning",
    count="Count",
    by=("Month by month", "Departments", "Municipalities"),
    notes_chart="Notes sent, month by month",
    notes_chart_text="New notes that were sent on to the municipality, by the month in which they came.",
    answers_chart="Time to acknowledge, month by month",
    answers_chart_text=(
        "Half of the acknowledgements came within the blue bar, 95 of 100 within the orange one."
    ),
    quality="What the notes tell",
    quality_chart_text="Share of the notes that have the patient's telephone number, and a diagnosis. "
    "Without a "
    "telephone number the municipality cannot call.",
    distress="Distress (0–10)",
    distress_text="How distressed the patients said they were, from 0 (not at all) to 10. From 4 on, someone "
    "should look closer.",
    score="Score",
    no_score="Not given",
    band="Score {band}",
    windows="Interaction points 2 and 3 ahead",
    windows_text="How many patients' windows open in each of the coming months.",
    windows_none="No windows open in the coming months.",
    point="Interaction point",
    explained="How the figures are made",
    explanations=(
        (
            "Note sent",
            (
                "A note counts once, in the month in which it came, when it was first sent to "
                "the municipality. "
                "Later changes and cancellations are counted apart."
            ),
        ),
        (
            "Time to acknowledge",
            (
                "From when the note was received until the municipality or the GP acknowledged "
                "it. Median: half were "
                "quicker. 95%: 95 of 100 were quicker."
            ),
        ),
        ("Overdue", "The receiver has not acknowledged within the deadline, or did so too late."),
        (
            "Replies lay",
            "From when the municipality's or GP's reply came until the hospital, or a person, had taken it.",
        ),
        (
            "Hidden",
            (
                "Counts of 1 to 4 are not shown for distress, relapse and work-up, nor as many "
                "other counts as it "
                "takes that no sum gives them away."
            ),
        ),
    ),
    chart_of="Chart. {text} The figures are in the table below.",
    units=("s", "min", "h", "d"),
)
