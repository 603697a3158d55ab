import pytest

from emote_blender.transcript.language import guess_language


@pytest.mark.parametrize(
    "language, text",
    [
        ("en-us", "Hello, how are you doing today?"),
        ("en-us", "Café society was not what they had in mind."),
        ("en-us", "Stop. Run!"),
        ("en-us", "42"),
        ("de", "Das ist ein Test."),
        ("de", "Ich weiß nicht, was du meinst"),
        ("fr", "Les enfants ont mangé"),
        ("fr", "C’est l’heure des amis"),
        ("es", "Hola, ¿cómo estás?"),
        ("it", "Non lo so perché"),
        ("pt", "Não sei o que dizer"),
        ("nl", "De hond is in het huis"),
        ("pl", "Nie wiem, co powiedzieć"),
        ("sv", "Jag vet inte vad du menar"),
        ("da", "Jeg ved ikke hvad du mener"),
        ("nb", "Jeg vet ikke hva du mener"),
        ("cs", "Dobrý den, jak se máte?"),
        ("hu", "Jó reggelt, hogy vagy?"),
        ("tr", "Bu çok güzel bir gün"),
        ("vi", "Bạn có khỏe không?"),
        ("ru", "Привет, как дела?"),
        ("uk", "Привіт, як справи?"),
        ("el", "Καλημέρα"),
        ("ar", "مرحبا بالعالم"),
        ("he", "שלום עולם"),
        ("hi", "नमस्ते दुनिया"),
        ("ja", "今日は良い天気ですね"),
        ("cmn", "今天天气很好"),
        ("ko", "안녕하세요"),
    ],
)
def test_a_language_is_guessed_from_a_sentence(language, text):
    assert guess_language(text) == language
