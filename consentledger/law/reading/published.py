"""Rule packs that the project published, by the SHA-256 of their files. Written by tools/pin_packs.py."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# A published file never changes; what has another hash is called "unknown", whatever its name says.
PUBLISHED: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("AT", "1"): "53733fc944cb6b0a31a6d2f619e1a739f6cb6efec8f1eff2b671a23c705180fe",
        ("AU", "1"): "70da15e96bc0fd9998483651307e6993a9502877dd550e71f0c41044b00c8f76",
        ("BE", "1"): "f9615abed01e8f247e8de1c96992aec7bfe7a19d0fde4ef815551c0e8a06510d",
        ("BR", "1"): "f800b6def4305f0c587d1d29804f2a1b61852302513a7d64bea09c1bff8cc027",
        ("CA", "1"): "ef9b67fe35964dad1cbc05c1ac476e74ba1cf2d12370232e05580b83c69b7583",
        ("CH", "1"): "03ffccf3ac1efa525feeb16832002290725f4374bb61c317b32624ef96fd6a99",
        ("CN", "1"): "f9b29e3ab99473929635e5a812424098490553cda06f5a54379803958c27ee51",
        ("CZ", "1"): "7a86d754569708303945671ab55d1b8ef19bbd8208708124a7f2083f4a800fe9",
        ("DE", "1"): "40e72790300e099ddfc54f61cb10b58e863a4db7e36c2ba7be18250ded840714",
        ("DK", "1"): "5d226f5176fea18f35155c02de1b792ffcc18f45066707803be305d3264729a4",
        ("ES", "1"): "203cfa5399e0bf2fb51343e258fc9e08b3c4639b1ba69e462cae37b976c04cb5",
        ("EU", "1"): "8cf774372385b00249697c07b7a25db9fa76dcf3ae98e7110de2f5ccbc236285",
        ("FI", "1"): "3badd9cfd707f4f4505c3fb5827514cd49cf52a5ed9972a6d0678ba6eaf924ee",
        ("FR", "1"): "a8de7b42657c8319de55cbb7b7ce60aed2753c8e2ba3a41f465553f4cc250efb",
        ("GB", "1"): "bc54c96929877041a9f9b23b88a9fe1f9bd61bd705e3183d9fd1d80977a20ec5",
        ("GR", "1"): "d764a032b3a903624a28e9d84b425fd8a0e0a01ca6998edc905a1fcd61b00414",
        ("HK", "1"): "7f22ea8c2a992ae2ce4877974678e1a8c1b57879ac3b76d0b7588c88d0f65808",
        ("HU", "1"): "340adba8b8ca5a10498927b767e9a6f0916f2293d67e83dd482cc408825449d3",
        ("IE", "1"): "605ebd94ef162cafda8b1fc2f8055954d5758979655b203a2c3407f1b07aa651",
        ("IL", "1"): "0ef77df877557be8cbc9b4d07e916babdd0d1e9c6cfd0da4e816f6c17e968576",
        ("IN", "1"): "17f496993987b468765d613763c6d52481a25306d0949e709ce2c434f92a7ee0",
        ("IN", "2"): "8ff8f613dbefdcaa81f1290f6b0ed87f6b858f64a9c116ae36d364535381c867",
        ("IT", "1"): "3e362d8e8bb1f59d44d5ddafa77d9a589dd5bf2f5f9fc258459fb8ce7f108a0b",
        ("JP", "1"): "f4ff4ad32c2fe95b1d74759553e2fa48ff248c9b1b0ee3693d0768248ffc55e4",
        ("KR", "1"): "995811f77e09d9c326aaeb323e346dacb3a1eeb4837dfbc852c46a7071f9f1fd",
        ("MX", "1"): "e8a13e1d4275d5ee5b4ef78e6fcb1daa5d0564d196088a958bdac73a4fa61fc6",
        ("NL", "1"): "43af826a3a85c725d02b7497f17c20f09f4c56bc16cfb31b9e397e69c067d2d3",
        ("NO", "1"): "b3efbcfb170a5520e7d54eca36965737d530bb5360e039c0fbbc2215d484531c",
        ("NZ", "1"): "283cd12912e8d167d38302b3cd49820e676780bcf36e6610b44e15f2bf679141",
        ("PL", "1"): "475c831dda282a5c04680b00be07c6d50eb5d981180e97e521dee6c5c42cd9c1",
        ("PT", "1"): "15725fce2de63f944d550b60acf91ebe2a3db70c8638a9b9a5c86cbdeca95475",
        ("RO", "1"): "d6027e6b44c683d36b443891849d864fca3c5324b145edbe27a6a9bb735e3541",
        ("SE", "1"): "456fd5e8f262bf3f8fd87571e79700c816148606696be6cc3784a39b24e6d0e5",
        ("SG", "1"): "64eb0f362b46c5bd6f62ae1fb9cabbce7359a8969c83c37ae5c46eb8643d69fd",
        ("TR", "1"): "70ece3f37fe5db23d1ce07470b0675b80743cbdcfeb8082e1f2cbfaedf74923c",
        ("US", "1"): "ca7c5df86ca4cda323f6d01c977aa3ea651f88af1c941c490a39febefcfd8493",
        ("XX", "1"): "13f38718a4be564b8834441461f64ae9d6f5f8230a25c981bd2c8eed0b59653b",
        ("ZA", "1"): "7b767fa9335c7b236aaeafad58004d270883f835464f4dc3b47a8091a0e43079",
    }
)
