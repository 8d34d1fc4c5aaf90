"""What somebody who sells would write to say more than may be said.

TRICKS were written before the phrases of `credits/certificates/data/claims/` were mended after the first MENDED of each
language. After the others nothing was mended: how many of them are found tells how the check fares with what it has
never seen.
"""

MENDED = 26

TRICKS = {
    "en": """
The responsible way to electrify
Mined with dignity, driven with pride
Every kilometre you drive lifts a miner, not a weapon
Batteries you can believe in
Cobalt that does the right thing
Wear it with a clear mind
The kinder carat
Our cobalt has nothing to hide
We know every pair of hands behind your battery
From Kolwezi to your key fob
Straight out of Kamilombe, into your car
Your ring started its life in a cooperative in Colombia
Real gold from real people
Powered by the miners of Kamilombe
Kamilombe inside
Gold, minus the guilt
Where no child has ever held a hammer
Adults only: that is how our cobalt is dug
Our supply chain: 100% adult
Not funded by warlords
Peaceful gold
War-free tungsten
We have closed the loop on our cobalt
Every gram accounted for
Our footprint? Gone.
For each battery sold we put one back
Doing right by the Congo, one cell at a time
The virtuous battery
Cobalt with a heart
Untouched by conflict
The blood stays out of our diamonds and our gold
Humanely dug
As clean as it gets: our tin
Trusted origins, trusted metals
We have seen the mine your gold is from
Backed by a signed certificate of origin
OECD-proof
We tick every box of the Battery Regulation
Independently checked minerals
Our due diligence: done and dusted
""",
    "fr": """
Le cobalt qui fait du bien
La batterie qui a du cœur
Roulez l'esprit léger
Un bijou dont vous pouvez être fier
L'or des justes
Extrait dans la dignité
Nos mineurs sont tous adultes
Ici, aucun gamin ne descend dans le puits
Interdit aux moins de 18 ans : notre mine
Zéro mineur de moins de dix-huit ans
Un or qui ne finance aucune guerre
L'or de la paix
Un cobalt sans histoires
Nous connaissons chaque maillon de la chaîne
De Kolwezi à votre garage
Né à Kamilombe, monté chez nous
Votre bague a commencé sa vie en Colombie
Propulsé par le cobalt de Kamilombe
Le Congo dans votre poche
Un métal au parcours limpide
Notre filière est transparente de bout en bout
Chaque gramme est compté et équilibré
Notre empreinte minière est effacée
Nous rendons autant que nous prenons
Une batterie vertueuse
L'achat malin et juste
Bon pour la planète, bon pour les mineurs
Un or qui respecte la terre et les hommes
L'étain de la bonne conscience
Garanti sans sang
Aucun sang sur nos bagues
Nous cochons toutes les cases du règlement européen
Le devoir de vigilance ? C'est fait.
Vérifié par des experts indépendants : notre or
Métaux de confiance
Un cobalt irréprochable
Le choix citoyen
La provenance ? Nous la connaissons.
Sorti des mains d'artisans congolais, posé dans votre voiture
Homologué OCDE
""",
    "es": """
El cobalto que hace el bien
La batería con corazón
Conduce con la mente tranquila
Una joya de la que puedes estar orgulloso
Oro con alma
Extraído con dignidad
Todos nuestros mineros son adultos
Aquí ningún chaval baja al pozo
Nada de menores en nuestra mina
Cero menores de dieciocho años
Un oro que no paga ninguna guerra
El oro de la paz
Cobalto sin sombra de duda
Conocemos cada eslabón de la cadena
De Kolwezi a tu garaje
Nacido en Kamilombe, montado aquí
Tu anillo empezó su vida en Colombia
Impulsado por cobalto de Kamilombe
El Congo en tu bolsillo
Un metal de camino limpio
Nuestra cadena es transparente de principio a fin
Cada gramo está contado y equilibrado
Borramos nuestra huella minera
Devolvemos tanto como tomamos
Una batería virtuosa
La compra inteligente y justa
Bueno para el planeta, bueno para los mineros
Un oro que respeta la tierra y a las personas
Estaño con buena conciencia
Garantizado sin sangre
Nada de sangre en nuestros anillos
Cumplimos todos los requisitos del reglamento europeo
¿La debida diligencia? Hecha.
Verificado por expertos independientes: nuestro oro
Metales de confianza
Un cobalto intachable
La elección solidaria
¿El origen? Lo conocemos.
De las manos de artesanos congoleños a tu coche
Homologado según la OCDE
""",
    "pt": """
O cobalto que faz bem
A bateria com coração
Conduza de consciência leve
Uma joia de que se pode orgulhar
Ouro com alma
Extraído com dignidade
Todos os nossos mineiros são adultos
Aqui nenhum miúdo desce ao poço
Nada de menores na nossa mina
Zero menores de dezoito anos
Um ouro que não paga nenhuma guerra
O ouro da paz
Cobalto sem sombra de dúvida
Conhecemos cada elo da cadeia
De Kolwezi à sua garagem
Nascido em Kamilombe, montado aqui
O seu anel começou a vida na Colômbia
Movido a cobalto de Kamilombe
O Congo no seu bolso
Um metal de percurso limpo
A nossa cadeia é transparente do princípio ao fim
Cada grama é contado e equilibrado
Apagámos a nossa pegada mineira
Devolvemos tanto quanto tiramos
Uma bateria virtuosa
A compra inteligente e justa
Bom para o planeta, bom para os mineiros
Um ouro que respeita a terra e as pessoas
Estanho de boa consciência
Garantido sem sangue
Nada de sangue nos nossos anéis
Cumprimos todos os requisitos do regulamento europeu
A devida diligência? Feita.
Verificado por peritos independentes: o nosso ouro
Metais de confiança
Um cobalto irrepreensível
A escolha solidária
A origem? Conhecemo-la.
Das mãos de artesãos congoleses para o seu carro
Homologado segundo a OCDE
""",
    "sw": """
Kobalti inayotenda mema
Betri yenye moyo
Endesha kwa dhamiri tulivu
Pete unayoweza kujivunia
Dhahabu yenye roho
Imechimbwa kwa heshima
Wachimbaji wetu wote ni watu wazima
Hakuna mtoto anayeingia shimoni
Hatuna watoto migodini
Watoto sifuri katika mgodi wetu
Dhahabu isiyolipia vita
Dhahabu ya amani
Tunajua kila hatua ya mnyororo
Kutoka Kolwezi hadi gari lako
Imezaliwa Kamilombe, imeunganishwa hapa
Pete yako ilianza maisha yake Kenya
Inaendeshwa na kobalti ya Kamilombe
Kongo mfukoni mwako
Madini yenye njia safi
Mnyororo wetu wa ugavi uko wazi mwanzo hadi mwisho
Kila gramu imesawazishwa
Tumefuta athari yetu ya uchimbaji
Tunarudisha kadiri tunavyochukua
Betri adilifu
Nunua kwa haki
Nzuri kwa dunia, nzuri kwa wachimbaji
Dhahabu inayoheshimu ardhi na watu
Bati lenye dhamiri njema
Imedhaminiwa bila damu
Hakuna damu kwenye pete zetu
Tunatimiza masharti yote ya sheria ya Ulaya
Uchunguzi wa uangalifu? Umefanyika.
Dhahabu yetu imekaguliwa na wataalamu huru
Madini ya kuaminika
Kobalti isiyo na doa
Chaguo la haki
Asili yake tunaijua
Kutoka mikono ya wachimbaji wa Kongo hadi kwenye gari lako
Imeidhinishwa na OECD
Haina jasho la watoto
""",
}

# Each was found by somebody who looked for what the check does not find.
FOUND_OUT = {
    "en": (
        "childlabour\u2011free cobalt | conflict.free | conflict<b></b>-free | con<b>flict-free</b> | <b>ethi</b>cal | "
        "e<i>thical</i> | e&shy;thical | &#101;thical | conflict&nbsp;-&nbsp;free | con\nflict-free | eth ical | "
        "ethi\u3164cal | ethi\u115fcal | ƒree of conflict | ᴇᴛʜɪᴄᴀʟ | ɛthical | eth!cal | no underage workers | "
        "Free of underage workers | without underage labour | no under-age miners | no minors work for us | "
        "no kids in our mines | not one child worked | not a single child worked | child labour: none | "
        "child labour? none | child labour: 0 | without the work of minors | not blood gold | "
        "Kamilombe cobalt in our batteries | artisanal cobalt in our batteries | Artisanal gold rings | "
        "100% artisanal cobalt | Powered by artisanal cobalt | Our batteries run on artisanal cobalt | "
        "Kamilombe cobalt powers every battery | Inside: Congolese cobalt | built on Kamilombe cobalt | honest gold | "
        "gold with a clean origin | gold you can feel good about | kind to miners | Deforestation-free | good cobalt | "
        "better cobalt | ESG-friendly | verified responsible | we exercised due care | we fulfil our duty of care | "
        "duty of vigilance fulfilled | Regulation 2017/821 is satisfied | our cobalt is balanced | "
        "covers 100% of our cobalt. | Isn't it ethical? | Aren't ethical phones great? | Why not buy ethical gold | "
        "We are not unethical | no unethical gold | not unethically sourced | We cannot say more than ethical | "
        "Our products do not contain anything but ethical cobalt | "
        "There is no cobalt in our phones that is not ethical | No product of ours is not traceable | "
        "anything but conflict-tainted | No one can say our gold is not ethical | "
        "We do not say ethical lightly: our gold is"
    ),
    "fr": (
        "é<b>thique</b> | &eacute;thique | é thique | travail des enfants : zéro | sans travail des mineurs | "
        "sans main-d'œuvre enfantine | non issu de zones de conflit | conflit zéro | aucune exploitation | "
        "Notre batterie est en cobalt artisanal | nos bagues sont en or artisanal | bague en or artisanal | "
        "batterie au cobalt congolais | batterie au cobalt artisanal | Du cobalt congolais dans chaque batterie | "
        "L'or de cette bague a été extrait à Kamilombe | à base d'or | sourçage responsable | or solidaire | "
        "cobalt solidaire | Nous avons rempli notre devoir de vigilance | N'est-ce pas éthique ? | non-éthique | "
        "homologué"
    ),
    "es": (
        "&eacute;tico | libre\u00adde conflicto | ni un niño | trabajo infantil: cero | viene de Colombia | "
        "con oro de Colombia | oro con conciencia | Nunca un anillo fue tan ético | \u00bfNo es ético? | sostenible | "
        "certificada"
    ),
    "pt": (
        "trabalho infantil zero | trabalho infantil: zero | conflito zero | mineral de sangue | vem da Colômbia | "
        "ouro do Brasil em cada anel | Nunca um anel foi tão ético | Não é ético? | sustentável | certificada"
    ),
    "sw": (
        "haijachimbwa na watoto | hatutumii watoto | hawatumii watoto | ajira ya watoto sifuri | "
        "haitoki maeneo ya migogoro | haitokani na migogoro | haijatokana na vita | betri za kobalti ya Kamilombe | "
        "pete ya dhahabu ya Kamilombe | dhahabu ya Kenya katika kila pete | cheti cha ubora"
    ),
}

# Written last, to slip past all phrases: 5 of them were found before a few phrases were added, and 28 are since.
SLY = """
Our phones put food on miners' tables, cobalt by cobalt
Ask us where your gold slept last night
Every cell tells the story of one mine
Gold you can look in the eye
Mined by hand, by grown-ups, by choice
The only thing we exploit is sunlight
Our minerals come with a passport
No shady middlemen between the mine and you
We paid our debt to the earth
Regulators love our cobalt
Un smartphone qui ne fait pleurer personne
Demandez-nous d'où vient votre or, nous avons la réponse
Chaque cellule raconte une mine
Un cobalt à visage humain
Creusé par des adultes, payé au juste prix
Nos minerais ont un passeport
Aucun intermédiaire douteux entre la mine et vous
Nous avons remboursé notre dette à la terre
L'or qui n'a rien à se reprocher
Le régulateur peut venir vérifier notre cobalt
Un móvil que no hace llorar a nadie
Pregúntanos de dónde viene tu oro
Cada celda cuenta la historia de una mina
Cobalto con rostro humano
Cavado por adultos, pagado a precio justo
Nuestros minerales tienen pasaporte
Sin intermediarios dudosos entre la mina y tú
Hemos saldado nuestra deuda con la tierra
El oro que no tiene nada que reprocharse
El regulador puede venir a revisar nuestro cobalto
Um telemóvel que não faz ninguém chorar
Pergunte-nos de onde vem o seu ouro
Cada célula conta a história de uma mina
Cobalto com rosto humano
Cavado por adultos, pago a preço justo
Os nossos minerais têm passaporte
Sem intermediários duvidosos entre a mina e si
Saldámos a nossa dívida com a terra
O ouro que nada tem a censurar
O regulador pode vir ver o nosso cobalto
Simu isiyomliza mtu yeyote
Tuulize dhahabu yako imetoka wapi
Kila seli inasimulia mgodi mmoja
Kobalti yenye sura ya utu
Imechimbwa na watu wazima kwa bei ya haki
Madini yetu yana pasipoti
Hakuna madalali wachafu kati ya mgodi na wewe
Tumelipa deni letu kwa ardhi
Dhahabu isiyo na lawama
Mkaguzi anaweza kuja kuona kobalti yetu
"""
