"""What the alphabet experiments say, as key -> (English, Korean)."""

TEXTS = {
    "help": (
        """usage: python -m examples.alphabet [1..6|all] [options]

Teach an LSTM the next letter of the alphabet, in six ways.

  1  one character to one character
  2  three characters as three features
  3  three characters as three timesteps
  4  all samples in one batch, in order
  5  a state that outlives the batch (stateful)
  6  inputs of different lengths
  all  the six of them (default)

  --trace DIR        write into DIR, for each experiment, why it succeeds or fails: a page to
                     step through and three pictures
""",
        """사용법: python -m examples.alphabet [1..6|all] [선택 사항]

LSTM에게 알파벳의 다음 글자를 여섯 가지 방법으로 가르칩니다.

  1  한 글자에서 다음 글자로
  2  세 글자를 특징 세 개로
  3  세 글자를 타임스텝 세 개로
  4  모든 샘플을 순서대로 한 배치에
  5  배치가 바뀌어도 이어지는 상태(stateful)
  6  길이가 서로 다른 입력
  all  여섯 가지 모두 (기본값)

  --trace DIR        실험마다 왜 성공하거나 실패하는지를 DIR에 저장합니다.
                     한 스텝씩 따라가 볼 수 있는 페이지 하나와 그림 세 개입니다
""",
    ),
    "choice": ("the experiment", "실험 번호"),
    "welcome": (
        "The next letter of the alphabet. Seed {seed}, backend {backend}.",
        "알파벳의 다음 글자 맞히기. 시드 {seed}, 백엔드 {backend}.",
    ),
    "title_1": ("1. One character to one character", "1. 한 글자에서 다음 글자로"),
    "about_1": (
        "The network is shown one letter and answers with the next. Every sample starts\n"
        "from a zero state, so there is nothing to remember: the LSTM works like a small\n"
        "dense network.",
        "신경망은 글자 하나를 보고 다음 글자를 답합니다. 샘플마다 상태가 0에서 시작해\n"
        "기억할 것이 없으므로, LSTM은 작은 완전 연결 신경망처럼 동작합니다.",
    ),
    "title_2": ("2. Three characters as three features", "2. 세 글자를 특징 세 개로"),
    "about_2": (
        "Three letters enter together, as the three features of a single timestep. Their\n"
        "order is only a place in a vector; nothing happens over time.",
        "세 글자가 한 타임스텝의 특징 세 개로 한꺼번에 들어갑니다. 글자의 순서는 벡터\n"
        "안의 자리일 뿐이고, 시간에 따른 흐름은 없습니다.",
    ),
    "title_3": ("3. Three characters as three timesteps", "3. 세 글자를 타임스텝 세 개로"),
    "about_3": (
        "The same letters enter one after another: three timesteps of one feature. Now the\n"
        "state carries what came before.",
        "같은 글자가 하나씩 차례로 들어갑니다. 특징이 하나인 타임스텝이 세 개입니다.\n"
        "이제 앞에서 본 것이 상태에 실려 다음 스텝으로 전해집니다.",
    ),
    "title_4": ("4. All samples in one batch, in order", "4. 모든 샘플을 순서대로 한 배치에"),
    "about_4": (
        "The whole alphabet is one batch and is not shuffled. The rows of a batch do not\n"
        "share a state, each starts from zero; what helps is that every update follows the\n"
        "exact gradient over all samples.",
        "알파벳 전체를 섞지 않고 한 배치로 넣습니다. 배치 안의 샘플은 상태를 서로 나누지\n"
        "않고 저마다 0에서 시작합니다. 도움이 되는 것은 갱신할 때마다 모든 샘플에 대한\n"
        "정확한 기울기를 따른다는 점입니다.",
    ),
    "title_5": (
        "5. A state that outlives the batch (stateful)",
        "5. 배치가 바뀌어도 이어지는 상태(stateful)",
    ),
    "about_5": (
        "With stateful=True the state after A is the state before B, and so on to the end.\n"
        "The order must be kept (shuffle=False), and every epoch starts from a zero state.",
        "stateful=True이면 A를 본 뒤의 상태가 B를 볼 때의 처음 상태가 되고, 알파벳\n"
        "끝까지 이렇게 이어집니다. 그래서 순서를 지켜야 하고(shuffle=False), 에포크마다\n"
        "상태를 0으로 되돌리고 시작합니다.",
    ),
    "title_6": ("6. Inputs of different lengths", "6. 길이가 서로 다른 입력"),
    "about_6": (
        "Random pieces of the alphabet, one to five letters long, are filled up with zeros\n"
        "in front. Zero is also the number of A, so B and AB look the same; that does no\n"
        "harm, since both lead to C.",
        "알파벳에서 한 글자에서 다섯 글자까지의 조각을 무작위로 잘라 앞을 0으로 채웁니다.\n"
        "0은 A의 번호이기도 해서 B와 AB가 똑같아 보이지만, 둘 다 다음 글자가 C이므로\n"
        "문제가 되지 않습니다.",
    ),
    "pairs": ("{count} pairs:", "{count}쌍:"),
    "first_pairs": ("{count} pairs, the first {first}:", "{count}쌍 가운데 처음 {first}쌍:"),
    "shape": (
        "Input tensor {shape}, that is (samples, timesteps, features):",
        "입력 텐서 {shape}, 곧 (samples, timesteps, features):",
    ),
    "a_pair": ("one for each pair", "쌍마다 하나"),
    "a_piece": ("one for each piece", "조각마다 하나"),
    "one_step": ("everything enters in a single step", "한 스텝에 모두 들어갑니다"),
    "three_steps": ("one letter a step", "스텝마다 한 글자"),
    "padded_steps": (
        "one letter a step, after zeros in front",
        "앞을 0으로 채우고, 스텝마다 한 글자",
    ),
    "a_number": ("the letter's number, divided by 26", "글자의 번호를 26으로 나눈 값"),
    "three_numbers": (
        "the three letters' numbers, divided by 26",
        "세 글자의 번호를 각각 26으로 나눈 값",
    ),
    "training": (
        "Training: {epochs} epochs with batch size {batch_size}; updates an epoch: {updates}, "
        "in all: {total}.",
        "학습: {epochs}에포크, 배치 크기 {batch_size}. 가중치 갱신은 에포크마다 {updates}번, "
        "모두 {total}번.",
    ),
    "accuracy": ("Accuracy: {percent:.2f} %", "정확도: {percent:.2f} %"),
    "answers": ("Answers:", "신경망의 답:"),
    "random_answers": ("Answers to 20 random questions:", "무작위 질문 20개에 대한 답:"),
    "chain_from_a": (
        "A chain from A: every answer is the next question.",
        "A에서 시작하는 사슬: 답이 다음 질문이 됩니다.",
    ),
    "chain_from_k": (
        "A fresh start from K, with a zero state. In training a zero state came only before A;\n"
        "the network has learned places in the alphabet more than letters, so expect mistakes:",
        "상태를 0으로 되돌리고 K에서 새로 시작합니다. 학습할 때는 A 앞에서만 상태가\n"
        "0이었습니다. 신경망은 글자보다 알파벳 안의 자리를 익혔으므로 틀리기 쉽습니다:",
    ),
    "all_right": ("Right: all {of}.", "{of}개 모두 맞았습니다."),
    "some_right": (
        "Right: {right} of {of}. After a wrong answer, ! and the right letter in brackets.",
        "{of}개 중 {right}개가 맞았습니다. !는 틀린 답이고, 괄호 안이 맞는 글자입니다.",
    ),
    "summary": ("Accuracy beside the tutorial's", "튜토리얼과 정확도 비교"),
    "summary_heads": (
        "experiment|epochs|accuracy|tutorial|seconds",
        "실험|에포크|정확도|튜토리얼|시간(초)",
    ),
    # Broken into lines when they are printed: the numbers in them differ in length.
    "why_no_memory": (
        "Every sample is a single timestep and starts from c = 0, so nothing of what the cell\n"
        "states hold comes from an earlier letter: the forget gates ({f:.2f} on average) have\n"
        "nothing to keep.",
        "샘플마다 타임스텝이 하나뿐이고 c = 0에서 시작하므로, 셀 상태에는 앞선 글자에서\n"
        "온 것이 전혀 없습니다. 망각 게이트(평균 {f:.2f})가 간직할 것이 없습니다.",
    ),
    "why_memory": (
        "At the answer {carried:.0f} % of what the cell states hold was written at earlier\n"
        "timesteps; of what was written {age} timesteps before, {kept:.0f} % is still there.",
        "답하는 순간 셀 상태에 담긴 것의 {carried:.0f} %는 앞선 타임스텝에서 쓰인 것이며,\n"
        "{age}타임스텝 전에 쓰인 것은 {kept:.0f} %가 아직 남아 있습니다.",
    ),
    "why_wrong": (
        "The states that the {count} answers are read from vary along {dimensions} directions\n"
        "only ({first:.0f} % of their variance along a single one), and those of neighbouring\n"
        "letters are {neighbours:.2f} apart; wrong answers: {wrong}, such as {examples}.",
        "답 {count}개의 바탕이 되는 상태는 {dimensions}개의 방향으로만 달라지고(분산의\n"
        "{first:.0f} %가 한 방향에 몰려 있습니다), 이웃한 글자의 상태는 서로\n"
        "{neighbours:.2f}만큼 떨어져 있어, 틀린 답이 {wrong}개 나옵니다. 예: {examples}.",
    ),
    "why_instead": ("{answer} instead of {right}", "{right} 대신 {answer}"),
    "why_right": (
        "The states that the {count} answers are read from vary along {dimensions} directions\n"
        "({first:.0f} % of their variance lies along a single one), and those of neighbouring\n"
        "letters are {neighbours:.2f} apart; the right letter leads everywhere, by {lead:.2f} of\n"
        "probability in the median and by {least:.2f} at least.",
        "답 {count}개의 바탕이 되는 상태는 {dimensions}개의 방향으로 달라지고(분산의\n"
        "{first:.0f} %가 한 방향에 있습니다), 이웃한 글자의 상태는 서로 {neighbours:.2f}만큼\n"
        "떨어져 있어, 맞는 글자가 어디서나 앞섭니다. 확률 차이는 중앙값 {lead:.2f},\n"
        "최소 {least:.2f}입니다.",
    ),
    "seed_note": (
        "Accuracy depends on the seed and, over the half million updates of experiment 6, even\n"
        "on the last digits of the arithmetic. Another seed: --seed N.",
        "정확도는 시드에 따라 달라지며, 50만 번 갱신하는 실험 6에서는\n"
        "계산의 마지막 자릿수에 따라서도 달라집니다. 다른 시드로 실행하려면: --seed N.",
    ),
    "short_note": (
        "This was a quick look of {epochs} epochs each; the tutorial trained much longer.",
        "실험마다 {epochs}에포크만 훑어보았습니다. 튜토리얼은 훨씬 오래 학습했습니다.",
    ),
}
