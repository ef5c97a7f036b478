using System.ComponentModel.DataAnnotations;
using MimeKit;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>How the connection to the mail server is protected.</summary>
public enum SmtpSecurity
{
    /// <summary>TLS from the first byte on port 465, else STARTTLS, which the server must offer.</summary>
    Auto,
    Tls,
    StartTls,

    /// <summary>Nothing: for a server on the same machine.</summary>
    None,
}

public sealed class SmtpOptions : IValidatableObject
{
    public const string Section = "Smtp";

    /// <summary>Mail server. Default none: no mail can be sent.</summary>
    public string? Host { get; init; }

    [Range(1, 65_535)] public int Port { get; init; } = 587;

    public SmtpSecurity Security { get; init; }

    /// <summary>Null: the server asks for none.</summary>
    public string? UserName { get; init; }

    public string? Password { get; init; }

    /// <summary>Sender of every mail.</summary>
    public string? From { get; init; }

    public bool IsSet => !string.IsNullOrEmpty(Host);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (IsSet && MailAddresses.Read(From) is null)
        {
            yield return new ValidationResult("Smtp:From needs the address that mail is sent from, for example dashboard@example.org.", [nameof(From)]);
        }

        if (IsSet && !string.IsNullOrEmpty(UserName) && string.IsNullOrEmpty(Password))
        {
            yield return new ValidationResult("Smtp:Password is missing; leave Smtp:UserName out for a server that asks for none.", [nameof(Password)]);
        }
    }
}

internal static class MailAddresses
{
    private const int Longest = 254;

    /// <summary>One mailbox without a display name; null: it is none.</summary>
    public static MailboxAddress? Read(string? text) =>
        text is { Length: > 2 and <= Longest } && MailboxAddress.TryParse(text, out var box) && box.Address == text && text.LastIndexOf('@') is > 0 and var at && at < text.Length - 1 && !text.Any(char.IsWhiteSpace) ? box : null;
}
