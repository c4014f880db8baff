"""Plain words that an eight-year-old can read and type, for sign-in cards."""

from __future__ import annotations

WORDS: tuple[str, ...] = tuple(
    sorted(
        set(
            """
acorn actor album alien amber angel ankle apple apron arch army arrow artist atlas attic aunt axle badge bagel
baker ball bamboo banana band bank banner barn basil basket bat bath beach bead beak bean bed beetle bell belt
bench berry bike bird biscuit blanket block boat bonnet book boot bottle bowl box branch brave bread breeze brick
bridge bright broom brush bubble bucket bud buggy bulb bunny bus bush butter button cabin cactus cage cake camel
camera camp candle canoe cap cape car card carpet carrot cart castle cat cave chair chalk cheese cherry chess chest
chick chin chip circle circus city clap class clay clever cliff clock cloud clown clover coach coast coat cobra cocoa
coin comb comet comic cone cook copper coral corner cotton cousin cow crab cradle crane crayon cream cricket crisp
crocus crop crow crown cup curl curtain cushion dance dawn desk dial diamond diary dice dinner disc dish diver dolphin
donkey door dot dove dragon drawer dream drink drum duck dune dust eagle ear earth easel east echo egg elbow elf
elm engine extra face fair falcon fan farm feast fence fern ferry fiddle field finch finger fir fire first fish flag
flame flask fleet flip float flock floor flute foam fog foil folder forest fork fossil fox frame fresh friend frog
frost fruit fudge funny gala game garden garlic gate gem gentle giant gift ginger giraffe glad glass globe glove glow
glue goat gold golf goose grape grass gravel green grin guitar gull hall ham hammer hand handle happy harbour harp hat
hawk hazel heart hedge helmet hen herb hero hill hippo hive honey hood hoop horn horse house hut ice igloo inch ink
insect iron island ivory ivy jacket jam jar jeep jelly jet jewel jigsaw jolly judo jug juice jump jungle kayak kettle
key kick kind king kitchen kite kitten kiwi koala label lace ladder lake lamb lamp lance land lantern lark laser
laugh lava lawn lazy leaf leg lemon lens letter lid light lily lime lion lip list lizard llama log lolly long loop
lorry lucky lunch magnet magpie mango map maple marble market mask mat meadow medal melon melt metal milk mill mint
mirror mist mitten moon moose moss moth motor mouse mouth mud muffin mug museum music napkin neck needle nest net newt
nice noble noise noodle north nose nut oak oat ocean olive onion orange orbit orchid otter oval oven owl paint palace
palm pan panda paper parade park parrot party pasta path paw pea peach peanut pear pebble pedal pen pencil pepper piano
picnic pie pig pillow pilot pine pink pizza planet plant plate plum pocket poem polar pond pony poppy post potato
prince prize proud puddle puffin pump puppet puppy purple puzzle quack queen quick quiet quilt quiz rabbit race radio
raft rain rainbow raisin ramp rapid raven ribbon rice ring river road robin robot rock rocket roof rope rose round
ruby rug ruler saddle sail salad salmon salt sand scarf school scooter seal seed shed sheep shelf shell shiny ship
shirt shoe shop silk silver singer sketch ski sky sledge sleepy slide slipper smile smooth snail snow sock sofa soft
soup spade spark spider spoon spring square stamp star steam stone storm story stream street string sugar summer sun
super swan sweet swift swim swing table tablet tail tall teapot tennis tent thumb tiger tile timber toast toffee tomato
torch tower town toy track tractor train tram tree trophy truck trumpet tulip tunnel turnip turtle twig twin umbrella
uncle under uniform valley van vase velvet vest village violet violin wagon walnut wand warm water wave wax whale wheat
wheel whisk white wind window wing winter wish wolf wonder wood wool yacht yard yellow yes yogurt young zebra zero zip
zoo
""".split()  # noqa: SIM905 - a list of 600 quoted words cannot be proof-read
        )
    )
)
