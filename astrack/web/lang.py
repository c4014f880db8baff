"""The words of the pupil's own pages, in English and Welsh. The Welsh is a draft that a Welsh speaker has to read."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from astrack.access import cookies

LANGUAGES = {"en": "English", "cy": "Cymraeg"}
LANG_COOKIE = "astrack-lang"

EN = {
    "title": "Your place",
    "demo": "These questions are a demonstration, not validated.",
    "hello": "Hello {name}",
    "what": "Soon you will imagine a place and decide some things about it. It takes about ten minutes.",
    "no_wrong": "There is nothing to get wrong, and it is not a test.",
    "who_sees": "Your tutor, the safeguarding lead and the people who look after your year can see where your answers"
    " lie. They use it to notice early when something might become hard for somebody.",
    "only_in": "The questions themselves are in English for now.",
    "your_choice": "You can stop whenever you like and go on later. You can say not today, and nothing happens.",
    "helped_by": "Is an adult writing for you?",
    "helped_by_said": "We keep what kind of adult helped, not who it was.",
    "helped_by_none": "No, I choose myself",
    "helped_by_teacher": "Yes, a teacher",
    "helped_by_teaching_assistant": "Yes, a teaching assistant",
    "helped_by_interpreter": "Yes, an interpreter",
    "helped_by_other_adult": "Yes, another adult",
    "begin": "Let us begin",
    "go_on": "Go on where I stopped",
    "not_today": "Not today",
    "not_today_said": "That is fine, and nobody is cross. All that is kept is that you said so. You can do it another"
    " day.",
    "talk": "I'd like to talk to someone",
    "practice": "Practice {n} of {of}",
    "practice_hint": "This one is only for trying out. It is not kept.",
    "step": "Step {n} of {of}",
    "read_aloud": "Read it to me",
    "stop": "Stop for now",
    "stopped": "Your answers so far are kept. You can go on any day until {day}.",
    "back": "Back one step",
    "choose": "Choose one of the {n}",
    "place": "Your place is growing: {n} of {of} parts are there",
    "done": "Your place is finished",
    "done_said": "Thank you, {name}. There is nothing more to do. You can close this page now.",
    "my_story": "See my story",
    "sign_out": "Sign out",
    "no_round": "There are no questions for you at the moment",
    "no_round_said": "When there are, your tutor will give you a card and tell you when.",
    "again": "Once more, if you like",
    "again_said": "The answers were hard to read last time. You may try once more, in your own time. Nobody"
    " has seen them.",
    "sat_already": "You have done this round",
    "sat_already_said": "Thank you. There is nothing more to do until next time.",
    "opted_out": "You are not taking part",
    "opted_out_said": "You or your family said that you would rather not. You can change that: talk to your tutor.",
    "lost": "The connection is gone for a moment. Your answers so far are kept: try this one again.",
    "talk_title": "Talk to someone",
    "talk_what": "When you press the button, your tutor is told that you would like to talk. You need not say why.",
    "talk_who": "Who is told: {names}.",
    "talk_taken_by": "{name} has taken it up and will come to find you.",
    "talk_clock": "If your tutor has not answered after {hours} hours, the safeguarding lead is told.",
    "talk_hours": "Nobody reads this at night, at the weekend or in the holidays.",
    "talk_now": "If you are in danger now, ring 999. You can ring Childline on 0800 1111, day and night. It costs"
    " nothing and does not show on the phone bill.",
    "talk_send": "Yes, tell my tutor",
    "talk_asked": "Your tutor has been told",
    "talk_asked_said": "You asked on {day}. When somebody takes it up, it says so here.",
    "talk_taken": "Somebody has taken it up and will come to find you.",
    "story_title": "My story",
    "story_what": "This is your own story so far. It shows where you were, not who you are. Neither end is good or bad,"
    " and most people move.",
    "story_band": "The coloured band shows how unsure the picture is: your true place is inside it 8 times in 10.",
    "who_looked": "Who looked at my story",
    "looked_often": "{n} times",
    "who_looked_none": "Nobody has looked yet. When somebody does, it says here who and what for.",
    "agreed": "What we agreed to try",
    "agreed_none": "Nothing at the moment. When you and an adult agree on something, it is written here.",
    "take_copy": "Take my own copy now",
    "copy_title": "Your own copy",
    "copy_what": "This record is yours now. Keep the file, the key and the paper in different places. Nobody can make"
    " the key again, and it is shown this once.",
    "copy_file": "Download the sealed file",
    "copy_key": "The key that opens it",
    "copy_sheet": "The recovery sheet: print it",
    "copy_pdf": "Download the sheet as a PDF with a code to scan",
    "copy_reader": "Download the page that opens the file in a browser",
    "copy_again": "The key was shown when this copy was made, and is kept nowhere. Make another copy if it is lost.",
    "yours": "At 18 this record is yours. You get a copy of your own, and a key that only you have.",
}  # fmt: skip

CY = {
    "title": "Dy le di",
    "demo": "Arddangosiad yw'r cwestiynau hyn, heb eu dilysu (not validated).",
    "hello": "Helo {name}",
    "what": "Cyn hir byddi di'n dychmygu lle ac yn penderfynu ychydig o bethau amdano. Mae'n cymryd tua deg munud.",
    "no_wrong": "Does dim ateb anghywir, ac nid prawf yw hwn.",
    "who_sees": "Gall dy diwtor, yr arweinydd diogelu a'r bobl sy'n gofalu am dy flwyddyn weld ble mae dy atebion."
    " Maen nhw'n ei ddefnyddio i sylwi'n gynnar pan allai rhywbeth fynd yn anodd i rywun.",
    "only_in": "Yn Saesneg y mae'r cwestiynau eu hunain am y tro.",
    "your_choice": "Gelli di stopio pryd bynnag y mynni a mynd ymlaen wedyn. Gelli di ddweud dim heddiw, a does dim yn"
    " digwydd.",
    "helped_by": "Oes oedolyn yn ysgrifennu i ti?",
    "helped_by_said": "Rydyn ni'n cadw pa fath o oedolyn a helpodd, nid pwy oedd e.",
    "helped_by_none": "Nac oes, fi sy'n dewis",
    "helped_by_teacher": "Oes, athro neu athrawes",
    "helped_by_teaching_assistant": "Oes, cynorthwyydd dysgu",
    "helped_by_interpreter": "Oes, cyfieithydd",
    "helped_by_other_adult": "Oes, oedolyn arall",
    "begin": "Gad i ni ddechrau",
    "go_on": "Mynd ymlaen o'r man lle stopiais i",
    "not_today": "Dim heddiw",
    "not_today_said": "Mae hynny'n iawn, a does neb yn grac. Dim ond dy fod wedi dweud hynny sy'n cael ei gadw."
    " Gelli di ei wneud ddiwrnod arall.",
    "talk": "Hoffwn i siarad â rhywun",
    "practice": "Ymarfer {n} o {of}",
    "practice_hint": "Dim ond i roi cynnig arni yw hwn. Nid yw'n cael ei gadw.",
    "step": "Cam {n} o {of}",
    "read_aloud": "Darllen e i mi",
    "stop": "Stopio am y tro",
    "stopped": "Mae dy atebion hyd yn hyn wedi'u cadw. Gelli di fynd ymlaen unrhyw ddiwrnod tan {day}.",
    "back": "Yn ôl un cam",
    "choose": "Dewisa un o'r {n}",
    "place": "Mae dy le yn tyfu: mae {n} o {of} rhan yno",
    "done": "Mae dy le yn barod",
    "done_said": "Diolch, {name}. Does dim mwy i'w wneud. Gelli di gau'r dudalen hon nawr.",
    "my_story": "Gweld fy stori",
    "sign_out": "Allgofnodi",
    "no_round": "Does dim cwestiynau i ti ar hyn o bryd",
    "no_round_said": "Pan fydd rhai, bydd dy diwtor yn rhoi cerdyn i ti ac yn dweud pryd.",
    "again": "Unwaith eto, os mynni di",
    "again_said": "Roedd yr atebion yn anodd i'w darllen y tro diwethaf. Gelli di roi cynnig arall arni, yn"
    " dy amser dy hun. Does neb wedi'u gweld.",
    "sat_already": "Rwyt ti wedi gwneud y rownd hon",
    "sat_already_said": "Diolch. Does dim mwy i'w wneud tan y tro nesaf.",
    "opted_out": "Dwyt ti ddim yn cymryd rhan",
    "opted_out_said": "Dywedaist ti neu dy deulu y byddai'n well gennych beidio. Gelli di newid hynny: siarada â dy"
    " diwtor.",
    "lost": "Mae'r cysylltiad wedi mynd am eiliad. Mae dy atebion hyd yn hyn wedi'u cadw: rho gynnig arall ar hwn.",
    "talk_title": "Siarad â rhywun",
    "talk_what": "Pan fyddi di'n pwyso'r botwm, bydd dy diwtor yn cael gwybod yr hoffet ti siarad. Does dim rhaid dweud"
    " pam.",
    "talk_who": "Pwy sy'n cael gwybod: {names}.",
    "talk_taken_by": "Mae {name} wedi ymateb a bydd yn dod i chwilio amdanat ti.",
    "talk_clock": "Os nad yw dy diwtor wedi ateb ar ôl {hours} awr, bydd yr arweinydd diogelu yn cael gwybod.",
    "talk_hours": "Does neb yn darllen hwn yn y nos, ar y penwythnos nac yn y gwyliau.",
    "talk_now": "Os wyt ti mewn perygl nawr, ffonia 999. Gelli di ffonio Childline ar 0800 1111, ddydd a nos. Mae am"
    " ddim ac nid yw'n ymddangos ar y bil ffôn.",
    "talk_send": "Iawn, dwed wrth fy nhiwtor",
    "talk_asked": "Mae dy diwtor wedi cael gwybod",
    "talk_asked_said": "Gofynnaist ti ar {day}. Pan fydd rhywun yn ymateb, bydd yn dweud hynny yma.",
    "talk_taken": "Mae rhywun wedi ymateb a bydd yn dod i chwilio amdanat ti.",
    "story_title": "Fy stori",
    "story_what": "Dyma dy stori di hyd yn hyn. Mae'n dangos ble oeddet ti, nid pwy wyt ti. Nid yw'r naill ben na'r"
    " llall yn dda nac yn ddrwg, ac mae'r rhan fwyaf o bobl yn symud.",
    "story_band": "Mae'r band lliw yn dangos pa mor ansicr yw'r llun: mae dy le go iawn y tu mewn iddo 8"
    " gwaith o bob 10.",
    "who_looked": "Pwy edrychodd ar fy stori",
    "looked_often": "{n} gwaith",
    "who_looked_none": "Does neb wedi edrych eto. Pan fydd rhywun yn gwneud, bydd yn dweud yma pwy ac i ba ddiben.",
    "agreed": "Beth y cytunon ni i'w drio",
    "agreed_none": "Dim byd ar hyn o bryd. Pan fyddi di ac oedolyn yn cytuno ar rywbeth, bydd yn cael ei"
    " ysgrifennu yma.",
    "take_copy": "Cymryd fy nghopi fy hun nawr",
    "copy_title": "Dy gopi di",
    "copy_what": "Ti biau'r cofnod hwn nawr. Cadwa'r ffeil, yr allwedd a'r papur mewn lleoedd gwahanol. Ni all neb"
    " wneud yr allwedd eto, a dim ond unwaith mae'n cael ei dangos.",
    "copy_file": "Lawrlwytho'r ffeil dan sêl",
    "copy_key": "Yr allwedd sy'n ei hagor",
    "copy_sheet": "Y daflen adfer: argraffa hi",
    "copy_pdf": "Lawrlwytho'r daflen fel PDF gyda chod i'w sganio",
    "copy_reader": "Lawrlwytho'r dudalen sy'n agor y ffeil mewn porwr",
    "copy_again": "Cafodd yr allwedd ei dangos pan wnaed y copi hwn, ac nid yw'n cael ei chadw. Gwna gopi arall os yw"
    " ar goll.",
    "yours": "Yn 18 oed ti biau'r cofnod hwn. Fe gei di dy gopi dy hun, ac allwedd sydd gen ti yn unig.",
}  # fmt: skip

WORDS = {"en": EN, "cy": CY}
Say = Callable[..., str]


def language_of(request: Request) -> str:
    """The language asked for in the address, else the one chosen before, else English."""
    for wanted in (request.query_params.get("lang"), cookies.read(request, LANG_COOKIE)):
        if wanted in LANGUAGES:
            return wanted
    return "en"


def sayer(language: str) -> Say:
    """A function from a name and its parts to the words in a language."""
    return lambda name, /, **parts: WORDS[language][name].format(**parts)
