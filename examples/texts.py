"""What the commands say, as key -> (English, Korean)."""

TEXTS = {
    "error": ("error", "오류"),
    "bad_lang": ("--lang must be en or ko, got {value!r}",) * 2,
    "unknown": (
        "unexpected argument {value!r}; see --help",
        "알 수 없는 인수 {value!r}. --help 참고",
    ),
    "bad_choice": (
        "{option} must be one of {choices}, got {value!r}",
        "{option}: {choices} 중 하나여야 합니다. 받은 값: {value!r}",
    ),
    "bad_integer": (
        "{option} must be an integer from {low} to {high}, got {value!r}",
        "{option}: {low}부터 {high}까지의 정수여야 합니다. 받은 값: {value!r}",
    ),
    "bad_directory": (
        "{option}: cannot write into {value!r}: {reason}",
        "{option}: {value!r}에 저장할 수 없습니다. 이유: {reason}",
    ),
    "no_directory": ("{option} needs a directory", "{option}: 디렉터리를 적어야 합니다"),
    "file_in_the_way": ("there is a file of that name", "같은 이름의 파일이 있습니다"),
    "not_permitted": ("permission denied", "쓰기 권한이 없습니다"),
    "no_numba": (
        "--backend numba needs numba: pip install numba",
        "--backend numba: numba가 필요합니다. 설치: pip install numba",
    ),
    "no_matplotlib": (
        "{option} needs matplotlib: pip install 'npylstm[plot]'",
        "{option}: matplotlib이 필요합니다. 설치: pip install 'npylstm[plot]'",
    ),
    "picture": ("Picture: {path}", "그림: {path}"),
    "page": ("Page: {path}", "페이지: {path}"),
}

OPTIONS = (
    """
  --seed N           start of the random numbers (default: {seed})
  --backend NAME     numpy or numba (default: {backend})
  --epochs N         N epochs everywhere instead of the full number, for a quick look
  --plot DIR         write pictures into DIR, which is created if it does not exist
  --verbose 0|1|2    how much the training prints: nothing, a bar, or a line an epoch (default: 0)
  --lang en|ko       language of the texts (default: en)
  -h, --help         show this help""",
    """
  --seed N           난수의 시작값 (기본값: {seed})
  --backend NAME     numpy 또는 numba (기본값: {backend})
  --epochs N         에포크 수를 모두 N으로 바꿉니다. 빨리 훑어볼 때 씁니다
  --plot DIR         그림을 DIR에 저장합니다. 없으면 만듭니다
  --verbose 0|1|2    학습 중 출력: 없음, 진행 막대, 에포크마다 한 줄 (기본값: 0)
  --lang en|ko       출력 언어 (기본값: en)
  -h, --help         이 도움말을 보여 줍니다""",
)
