using CsCheck;
using Dashboard.Domain.Instances;

namespace Dashboard.Domain.Tests.Instances;

public sealed class InstanceLabelTests
{
    private const string Install = "0abcdefg";
    private static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(value => (byte)value)];
    private static readonly Gen<InstanceId> Ids = Gen.Guid.Select(id => new InstanceId(id));

    [Fact]
    public void A_label_names_its_row_again() =>
        Ids.Sample(id => Assert.Equal(id, InstanceLabel.Verify(InstanceLabel.For(id, Install, Key), Install, Key)));

    [Fact]
    public void A_label_has_48_characters_that_every_provider_takes() =>
        Ids.Sample(id =>
        {
            var label = InstanceLabel.For(id, Install, Key);
            Assert.Equal(48, label.Length);
            Assert.Matches("^gd1-[0-9a-hjkmnp-tv-z]{8}-[0-9a-hjkmnp-tv-z]{26}-[0-9a-hjkmnp-tv-z]{8}$", label);
        });

    [Fact]
    public void The_same_row_always_has_the_same_label() =>
        Ids.Sample(id => Assert.Equal(InstanceLabel.For(id, Install, Key), InstanceLabel.For(id, Install, Key)));

    [Fact]
    public void Two_rows_never_share_a_label() =>
        Gen.Select(Ids, Ids).Where((a, b) => a != b).Sample((a, b) => Assert.NotEqual(InstanceLabel.For(a, Install, Key), InstanceLabel.For(b, Install, Key)));

    [Fact]
    public void Changing_any_one_character_makes_it_somebody_elses() =>
        Gen.Select(Ids, Gen.Int[0, 47], Gen.Char["0123456789abcdefghjkmnpqrstvwxyz-gGé"]).Sample((id, at, other) =>
        {
            var label = InstanceLabel.For(id, Install, Key);
            if (label[at] == other)
            {
                return;
            }

            var tampered = string.Concat(label.AsSpan(0, at), [other], label.AsSpan(at + 1));
            Assert.Null(InstanceLabel.Verify(tampered, Install, Key));
        });

    [Fact]
    public void A_label_of_another_installation_is_not_ours() =>
        Ids.Sample(id => Assert.Null(InstanceLabel.Verify(InstanceLabel.For(id, "1abcdefg", Key), Install, Key)));

    [Fact]
    public void Knowing_the_shape_is_not_enough_without_the_secret() =>
        Ids.Sample(id => Assert.Null(InstanceLabel.Verify(InstanceLabel.For(id, Install, new byte[32]), Install, Key)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("my training run")]
    [InlineData("gd1-0abcdefg")]
    [InlineData("gd1-0abcdefg-zzzzzzzzzzzzzzzzzzzzzzzzzz-00000000")] // more than 128 bits
    [InlineData("gd1-0abcdefg-00000000000000000000000000-00000000\n")]
    public void What_does_not_look_like_a_label_is_not_ours(string? label) => Assert.Null(InstanceLabel.Verify(label, Install, Key));

    [Fact]
    public void An_installation_id_is_eight_characters_of_the_alphabet() =>
        Gen.Byte.Array[5].Sample(random => Assert.Matches("^[0-9a-hjkmnp-tv-z]{8}$", InstanceLabel.NewInstall(random)));
}
