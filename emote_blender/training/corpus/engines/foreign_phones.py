"""Phone classes of the phone names of festival's Italian, Czech, Finnish, Catalan and Russian voices.

The names are those of each voice's phone set (defPhoneSet). Stress and length do not change the class of a phone; soft
consonants of Russian have the class of the hard ones.
"""

from __future__ import annotations

from collections.abc import Mapping

_SILENCES = dict.fromkeys(("#", "##", "_", "pau"), ("sil",))


def _table(text: str) -> dict[str, tuple[str, ...]]:
    """The mapping that a text such as `a=AA ts=T+S` describes, with the names of silence."""
    pairs = (item.split("=") for item in text.split())
    return {name: tuple(classes.split("+")) for name, classes in pairs} | _SILENCES


ITALIAN = _table(
    "i=IY e=EH E=EH a=AA o=OW O=AO u=UW i1=IY e1=EH E1=EH a1=AA o1=OW O1=AO u1=UW j=Y w=W p=P t=T k=K b=B d=D g=G "
    "f=F s=S S=SH v=V z=Z Z=ZH ts=T+S tS=T+SH dz=D+Z dZ=D+ZH m=M n=N J=N ng=NG nf=V l=L L=L r=RT"
)
CZECH = _table(
    "a=AA a:=AA b=B c=T+S c~=T+SH ch=X d=D d~=D dz=D+Z dz~=D+ZH e=EH e:=EH f=F g=G h=HH i=IH i:=IY j=Y k=K l=L m=M n=N "
    "n*=NG n~=N o=OW o:=OW p=P r=RT r~=RT+ZH r~*=RT+SH s=S s~=SH t=T t~=T u=UW u:=UW v=V z=Z z~=ZH"
)
_FINNISH_SHORT = (
    "a=AA e=EH i=IY o=OW u=UW y=YU @=AE 7=EU &=AX p=P t=T k=K b=B d=D g=G f=F T=TH D=DH s=S z=Z S=SH Z=ZH h=HH v=V m=M "
    "n=N N=NG l=L L=L r=RT j=Y w=W"
)
FINNISH = _table(_FINNISH_SHORT) | _table(_FINNISH_SHORT.replace("=", ":="))
CATALAN = _table(
    "ax=AX a=AA a1=AA b=B d=D e=EH e1=EH E=EH E1=EH f=F g=G i=IY i1=IY j=Y J=N k=K l=L L=L m=M n=N o=OW o1=OW O=AO "
    "O1=AO p=P r=RT rr=RT s=S S=SH t=T u=UW u1=UW w=W z=Z Z=ZH"
)
_RUSSIAN_HARD = "p=P b=B t=T d=D k=K g=G f=F v=V s=S z=Z h=X m=M n=N l=L r=RT"
RUSSIAN = _table(
    "ii=IY yy=IH uu=UW ee=EH oo=AO aa=AA a=AH e=IH i=IH y=IH u=UH ae=AX ay=AX ur=UH c=T+S ch=T+SH sh=SH sch=SH zh=ZH "
    f"j=Y {_RUSSIAN_HARD} pp=P bb=B tt=T dd=D kk=K gg=G ff=F vv=V ss=S zz=Z hh=X mm=M nn=N ll=L rr=RT"
)


def classes_of(name: str, table: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The one or two classes of a phone name.

    Raises:
        ValueError: the table does not have the name, as for another version of a voice.
    """
    if name not in table:
        raise ValueError(f"phone {name!r} is not among {' '.join(table)}")
    return table[name]
