using System.Globalization;
using System.Net;
using System.Text;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Notifications;
using Dashboard.Infrastructure.Egress;

namespace Dashboard.Infrastructure.Notifications;

/// <summary>Sends a message where a channel leads, once, and says what came back.</summary>
public sealed class ChannelSender
{
    private const int MostAnswer = 16 * 1024;
    private const int ShownAnswer = 120;
    private const int LongestAddress = 2_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly EgressClient _egress;
    private readonly Mailer _mailer;
    private readonly TimeProvider _time;

    internal ChannelSender(EgressClient egress, Mailer mailer, TimeProvider time) => (_egress, _mailer, _time) = (egress, mailer, time);

    /// <summary>Whether the site has a mail server.</summary>
    public bool MailIsSet => _mailer.IsSet;

    /// <summary>What is wrong with an address that somebody entered, a sentence; null: it can be tried.</summary>
    public string? Problem(ChannelKind kind, Secret address)
    {
        var text = address.Reveal();
        if (kind == ChannelKind.Email)
        {
            return !MailIsSet ? "This site has no mail server yet (Smtp:Host)." : MailAddresses.Read(text) is null ? "Enter one mail address, for example mira@example.org." : null;
        }

        return text.Length <= LongestAddress && Uri.TryCreate(text, UriKind.Absolute, out var uri) && _egress.MayAsk(uri) ? null : "Paste the whole https address of the web hook.";
    }

    /// <summary>What may be shown of an address: a mailbox, or host and last four characters.</summary>
    public static string Shown(ChannelKind kind, Secret address)
    {
        var text = address.Reveal();
        return kind == ChannelKind.Email ? text : $"{new Uri(text).Authority}/…{(text.Length > 40 ? text[^4..] : "")}";
    }

    /// <param name="signing">Of a <see cref="ChannelKind.Webhook"/>.</param>
    public async Task<SendResult> SendAsync(ChannelKind kind, Secret address, Secret? signing, OutgoingMessage message, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(message);
        return kind == ChannelKind.Email ? await _mailer.SendAsync(address, message, ct) : await PostAsync(kind, address, signing, message, ct);
    }

    private async Task<SendResult> PostAsync(ChannelKind kind, Secret address, Secret? signing, OutgoingMessage message, CancellationToken ct)
    {
        var body = WebhookBody.Of(kind, message);
        var headers = new Dictionary<string, string> { [WebhookBody.DeliveryHeader] = message.Key };
        if (signing is not null)
        {
            var seconds = _time.GetUtcNow().ToUnixTimeSeconds();
            headers[WebhookBody.TimestampHeader] = seconds.ToString(CultureInfo.InvariantCulture);
            headers[WebhookBody.SignatureHeader] = WebhookBody.Sign(signing.Reveal(), seconds, body);
        }

        try
        {
            using var content = WebhookBody.Content(body);
            var reply = await _egress.PostAsync(new Uri(address.Reveal()), content, headers, MostAnswer, Patience, ct);
            var words = Words(reply, address, signing);
            return (int)reply.Status is >= 200 and < 300 ? new SendResult.Sent(words) : new SendResult.Failed(words, DeliveryRules.IsFinal((int)reply.Status), reply.RetryAfter);
        }
        catch (EgressRefusedException refused)
        {
            return new SendResult.Failed(refused.Message, Final: true);
        }
        catch (HttpRequestException fault)
        {
            return new SendResult.Failed(fault.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => "Its host name is not known.",
                HttpRequestError.ConnectionError => "It could not be reached.",
                HttpRequestError.SecureConnectionError => "It offers no protected connection that is trusted.",
                _ => "It gave no complete answer.",
            }, Final: false);
        }
    }

    /// <summary><c>It answered 404 Not Found: no_service.</c> A receiver that repeats the address or the secret does not bring them to the page.</summary>
    private static string Words(EgressReply reply, Secret address, Secret? signing)
    {
        var status = $"It answered {(int)reply.Status}{(Enum.IsDefined(reply.Status) ? $" {Spaced(reply.Status)}" : "")}";
        var text = new string([.. Encoding.UTF8.GetString(reply.Body).Where(c => !char.IsControl(c)).Take(ShownAnswer)]).Trim();
        var path = new Uri(address.Reveal()).PathAndQuery;
        var tells = (path.Length > 1 && text.Contains(path.TrimStart('/')[..Math.Min(8, path.Length - 1)], StringComparison.Ordinal)) || (signing is not null && text.Contains(signing.Reveal()[..8], StringComparison.Ordinal));
        return (int)reply.Status is >= 300 and < 400 ? $"{status}; redirects are not followed." : text.Length == 0 || tells || text.Contains('<', StringComparison.Ordinal) ? $"{status}." : $"{status}: {text}";
    }

    private static string Spaced(HttpStatusCode status) =>
        string.Concat(status.ToString().Select((c, n) => n > 0 && char.IsUpper(c) && status != HttpStatusCode.OK ? $" {c}" : $"{c}"));
}
