"""Walks over keyboards, years and names of the trade: typical, but rare in lists of leaked passwords."""

TYPICAL = """
    1234567890 12345678910 123456789a a123456789 0123456789 9876543210 0987654321 1234567891 1029384756 1122334455 0000000000
    1111111111 2222222222 3333333333 4444444444 5555555555 6666666666 7777777777 8888888888 9999999999 1212121212 1231231231
    123123123123 1234512345 1234123412 123456123456 123456654321 12345678900 11223344556 123456789q 123456789qwe 123456789abc
    123456789z 1234567890q 1234567890a 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc q1w2e3r4t5 q1w2e3r4t5y6 qazwsxedcrfv qazwsxedc123
    zaq12wsxcde3 1qazxsw23edc qwertyuiop qwertyuiop123 qwerty1234 qwerty12345 qwerty123456 1234qwerty 12345qwerty 123456qwerty
    qwertyqwerty qwerty123! qwertyuiop1 qwertyuiop[] asdfghjkl1 asdfghjkl; asdfghjkl123 asdfasdfasdf asdf1234asdf zxcvbnm123
    zxcvbnmasd zxcvbnm,./ azertyuiop abcdefghij abcdefghijk abcdefghijkl abc1234567 abcd123456 abcd1234abcd abc123abc123
    abcde12345 abcdef1234 aaaaaaaaaa aa12345678 a1234567890 a1b2c3d4e5 a1s2d3f4g5 1a2b3c4d5e password10 password11 password12
    password123 password1234 password12345 password123! password1! password!1 passwordpassword password01 password00 password99
    password2020 password2021 password2022 password2023 password2024 password2025 password2026 passw0rd12 passw0rd123
    passw0rd1234 p@ssw0rd12 p@ssw0rd123 p@ssword123 p@ssw0rd1! pa$$word123 pa$$w0rd123 mypassword mypassword1 mypassword123
    yourpassword newpassword newpassword1 newpassword123 thepassword thisismypassword changeme123 changeme1234 changemenow
    pleasechangeme defaultpassword default123 default1234 temppassword temporary1 temporary123 letmein123 letmein1234 letmeinnow
    letmeinplease opensesame opensesame1 secret1234 secret12345 secretpassword mysecret123 topsecret1 topsecret123
    trustno1trustno1 trustno123 administrator administrator1 admin12345 admin123456 admin1234567 adminadmin adminadmin1
    adminpassword admin@1234 admin@12345 rootpassword root123456 superadmin superadmin1 superuser1 superuser123 sysadmin123
    user123456 user1234567 guest12345 guest123456 test123456 test1234567 test12345678 testtest123 testtesttest testing123
    testing1234 testpassword testuser123 welcome123 welcome1234 welcome12345 welcome2024 welcome2025 welcome2026 welcome@123
    welcomehome hello12345 hello123456 hellohello helloworld helloworld1 hello12345! helloworld123 iloveyou12 iloveyou123
    iloveyou1234 iloveyou12345 iloveyousomuch iloveyouforever iloveyou2! iloveyouuu iloveyoubaby ilovejesus ilovejesus1
    jesuslovesme jesuschrist jesus12345 jesusislord blessed123 godisgood1 godisgood123 godisgreat sunshine12 sunshine123
    sunshine1234 mysunshine princess12 princess123 princess1234 football12 football123 football1234 baseball12 baseball123
    basketball basketball1 basketball123 volleyball skateboard snowboard1 superman123 superman1234 batman12345 spiderman1
    spiderman12 spiderman123 pokemon123 pokemon1234 pikachu123 starwars123 starwars1234 dragon12345 dragon123456 dragonball
    dragonballz monkey12345 monkey123456 master12345 master123456 shadow12345 shadow123456 michael123 michael1234 jordan12345
    jordan232323 liverpool1 liverpool12 liverpool123 manchester manchester1 manutd12345 chelsea123 chelsea1234 arsenal123
    arsenal1234 barcelona1 barcelona123 realmadrid realmadrid1 realmadrid123 juventus123 christian1 christina1 charlotte1
    alexander1 elizabeth1 jennifer12 jennifer123 jessica123 samantha123 whatever12 whatever123 whatever1234 computer12
    computer123 computer1234 internet12 internet123 samsung123 samsung1234 iphone12345 android123 facebook12 facebook123
    facebook1234 instagram1 instagram123 google1234 google12345 linkedin123 youtube123 minecraft1 minecraft123 fortnite123
    playstation playstation1 nintendo123 chocolate1 chocolate12 chocolate123 butterfly1 butterfly12 butterfly123 strawberry
    strawberry1 blackberry watermelon pineapple1 cheesecake blackjack1 california california1 washington africa12345 nairobi123
    nairobi1234 kenya12345 kenya123456 nigeria123 nigeria1234 lagos12345 tehran12345 iran123456 january2024 january2025
    january2026 summer2024! summer2025! summer2026! winter2024! winter2025! winter2026! spring2025! autumn2025! monday1234
    friday1234 lendery123 lendery1234 lendery12345 correcthorsebatterystaple thequickbrownfox freedom123 freedom1234 forever123
    forever1234 loveyou123 lovelove123 lovelovelove mother1234 family1234 family12345 money12345 money123456 moneymoney
    makemoney1 business123 company123 qweasdzxc1 qweasdzxc123 qweqweqwe1 qweqweqweqwe zaqzaqzaq1 zaq1zaq1zaq1 zaq1@wsxcde
    asdqwe123456 poiuytrewq mnbvcxz123 lkjhgfdsa1 0192837465 147258369a 1472583690 7894561230 9638527410 741852963a 159357159357
    1357924680 2468013579 1123581321 3141592653 3.14159265 0102030405 1011121314 1213141516 0112358132 19283746500
"""
