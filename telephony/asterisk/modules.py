"""The modules that the private Asterisk loads: an explicit list boots in half a second."""

LOADED: tuple[str, ...] = tuple(
    """
    pbx_config app_stasis app_stack
    res_stasis res_stasis_answer res_stasis_playback res_stasis_recording res_stasis_snoop res_stasis_device_state
    res_ari res_ari_model res_ari_applications res_ari_asterisk res_ari_bridges res_ari_channels res_ari_device_states
    res_ari_endpoints res_ari_events res_ari_playbacks res_ari_recordings res_ari_sounds
    res_http_websocket res_websocket_client res_crypto res_srtp res_timing_timerfd res_pjproject
    res_sorcery_config res_sorcery_memory res_sorcery_astdb
    res_pjsip res_pjsip_session res_pjsip_sdp_rtp res_rtp_asterisk res_pjsip_caller_id res_pjsip_dtmf_info
    res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user res_pjsip_endpoint_identifier_anonymous
    res_pjsip_authenticator_digest res_pjsip_outbound_authenticator_digest res_pjsip_outbound_registration
    res_pjsip_registrar res_pjsip_refer res_pjsip_rfc3326 res_pjsip_header_funcs res_pjsip_nat res_pjsip_diversion
    res_pjsip_acl res_pjsip_path res_pjsip_transport_websocket res_pjsip_pubsub
    chan_pjsip chan_bridge_media chan_websocket
    bridge_simple bridge_softmix bridge_holding bridge_builtin_features res_musiconhold
    codec_ulaw codec_alaw codec_a_mu codec_resample codec_g722 codec_gsm codec_opus_open_source
    format_pcm format_wav format_sln format_wav_gsm res_format_attr_opus
    func_talkdetect func_channel func_callerid func_hangupcause func_logic func_strings func_groupcount func_timeout
    func_global
    """.split()
)
"""Loaded when the installation has them, in this order."""

SPARE: tuple[str, ...] = (
    "app_amd",
    "app_mixmonitor",
    "app_transfer",
    "func_jitterbuffer",
    "func_volume",
    "res_audiosocket",
    "chan_audiosocket",
    "res_fax",
    "res_fax_spandsp",
    "res_pjsip_t38",
    "res_tonedetect",
    "app_audiosocket",
    "res_prometheus",
    "res_pjsip_logger",
    "res_rtp_multicast",
    "chan_rtp",
)
"""Kept in the private copy, not loaded."""

REQUIRED: tuple[str, ...] = (
    "app_stasis",
    "chan_pjsip",
    "chan_websocket",
    "res_ari_channels",
    "res_ari_events",
    "res_http_websocket",
    "res_stasis_recording",
    "res_stasis_snoop",
)
"""Without these an Asterisk is of no use here."""
