"""Harmless sentences of the same subjects as `claims_sold`. EVERYDAY came while the phrases were mended."""

HARMLESS = {
    "en": """
Our shop opens at nine and closes at six.
The new battery charges in twenty minutes.
Children under three may choke on small parts.
This ring is available in three sizes.
The premium was paid to the cooperative in March.
Read how the committee spent the money.
We retired credits because we cannot trace our cobalt.
Nobody can tell from a credit which mine a metal was dug in.
A retired credit does not make a battery responsible.
Our phones are not certified by anybody.
Neither our rings nor our watches are made with this gold.
We do not know where the gold in our rings was mined.
The miners bought new pumps and helmets.
The cooperative has 120 members, 40 of them women.
A verifier visited the site in May 2026.
Credits say nothing about the absence of child labour.
This sentence is about credits and nothing else.
Please recycle your old phone.
The gold price rose by four percent.
Never charge the battery below zero degrees.
""",
    "fr": """
Notre magasin ouvre à neuf heures.
La nouvelle batterie se recharge en vingt minutes.
Ne convient pas aux enfants de moins de trois ans.
Cette bague existe en trois tailles.
La prime a été versée à la coopérative en mars.
Lisez comment le comité a dépensé l'argent.
Nous avons retiré des crédits parce que nous ne pouvons pas tracer notre cobalt.
Un crédit ne dit pas de quelle mine vient un métal.
Un crédit retiré ne rend pas une batterie responsable.
Nos téléphones ne sont certifiés par personne.
Ni nos bagues ni nos montres ne sont faites avec cet or.
Nous ne savons pas d'où vient l'or de nos bagues.
Les mineurs ont acheté des pompes et des casques.
La coopérative compte 120 membres, dont 40 femmes.
Un vérificateur a visité le site en mai 2026.
Les crédits ne disent rien sur l'absence de travail des enfants.
Cette phrase parle de crédits et de rien d'autre.
Merci de recycler votre ancien téléphone.
Le cours de l'or a augmenté de quatre pour cent.
Ne chargez jamais la batterie en dessous de zéro degré.
""",
    "es": """
Nuestra tienda abre a las nueve.
La nueva batería se carga en veinte minutos.
No apto para niños menores de tres años.
Este anillo existe en tres tallas.
La prima se pagó a la cooperativa en marzo.
Lea cómo gastó el dinero el comité.
Retiramos créditos porque no podemos rastrear nuestro cobalto.
Un crédito no dice de qué mina viene un metal.
Un crédito retirado no hace responsable a una batería.
Nuestros teléfonos no están certificados por nadie.
Ni nuestros anillos ni nuestros relojes están hechos con este oro.
No sabemos de dónde viene el oro de nuestros anillos.
Los mineros compraron bombas y cascos.
La cooperativa tiene 120 miembros, 40 de ellos mujeres.
Un verificador visitó el sitio en mayo de 2026.
Los créditos no dicen nada sobre la ausencia de trabajo infantil.
Esta frase habla de créditos y de nada más.
Por favor, recicle su teléfono viejo.
El precio del oro subió un cuatro por ciento.
No cargue nunca la batería por debajo de cero grados.
""",
    "pt": """
A nossa loja abre às nove.
A nova bateria carrega em vinte minutos.
Não adequado a crianças com menos de três anos.
Este anel existe em três tamanhos.
O prémio foi pago à cooperativa em março.
Leia como o comité gastou o dinheiro.
Retirámos créditos porque não podemos rastrear o nosso cobalto.
Um crédito não diz de que mina vem um metal.
Um crédito retirado não torna uma bateria responsável.
Os nossos telefones não são certificados por ninguém.
Nem os nossos anéis nem os nossos relógios são feitos com este ouro.
Não sabemos de onde vem o ouro dos nossos anéis.
Os mineiros compraram bombas e capacetes.
A cooperativa tem 120 membros, 40 deles mulheres.
Um verificador visitou o local em maio de 2026.
Os créditos nada dizem sobre a ausência de trabalho infantil.
Esta frase fala de créditos e de mais nada.
Por favor, recicle o seu telefone antigo.
O preço do ouro subiu quatro por cento.
Nunca carregue a bateria abaixo de zero graus.
""",
    "sw": """
Duka letu hufunguliwa saa tatu.
Betri mpya huchajiwa kwa dakika ishirini.
Haifai kwa watoto wa chini ya miaka mitatu.
Pete hii ina saizi tatu.
Malipo ya ziada yalilipwa kwa ushirika mwezi Machi.
Soma jinsi kamati ilivyotumia fedha.
Tuliondoa krediti kwa sababu hatuwezi kufuatilia kobalti yetu.
Krediti haisemi madini yalichimbwa mgodi gani.
Krediti iliyoondolewa haifanyi betri iwajibike.
Simu zetu hazijathibitishwa na mtu yeyote.
Pete zetu hazijatengenezwa kwa dhahabu hii.
Hatujui dhahabu ya pete zetu ilichimbwa wapi.
Wachimbaji walinunua pampu na kofia.
Ushirika una wanachama 120, 40 kati yao wanawake.
Mthibitishaji alitembelea eneo mwezi Mei 2026.
Krediti hazisemi lolote kuhusu ajira ya watoto.
Sentensi hii inahusu krediti tu.
Tafadhali rejesha simu yako ya zamani.
Bei ya dhahabu ilipanda kwa asilimia nne.
Usichaji betri chini ya nyuzi sifuri.
""",
}

EVERYDAY = """
A good battery lasts for years.
Only an adult may change the battery.
We met the miners who received the premium.
A ring with a heart, in three sizes.
Take due care when you charge the battery.
Give back the phone within fourteen days.
Phone sales started in March.
We are proud of our new phones.
The time stamp of the order is in UTC.
We supported Colombian gold miners by retiring credits.
There is no difference between boys and girls in the warranty.
Our products are not traceable and do not contain this cobalt.
Our gold is never sold as ethical.
We do not say that our gold is traceable.
No seal is used, and we do not say that our gold is traceable.
Une batterie qui fonctionne bien par grand froid.
Moins de dix pour cent des bagues sont en argent.
Vente interdite aux mineurs.
Nous avons soutenu des mineurs d'or colombiens en retirant des crédits.
Nos bagues ne sont jamais vendues comme éthiques.
Sin el menor coste para usted.
La responsabilidad solidaria de los socios.
Apoyamos a mineros de oro de Colombia retirando créditos.
Los objetivos de desarrollo sostenible.
El collar con un corazón cuesta diez euros.
Nuestro oro nunca se vende como ético.
Um telefone de boa qualidade.
Sem o menor custo para si.
Apoiámos mineiros de ouro da Colômbia ao retirar créditos.
O nosso ouro nunca é vendido como ético.
Duka la vito liko Nairobi.
Tunauza pete za fedha.
Hatusemi kwamba dhahabu yetu inafuatiliwa.
"""
